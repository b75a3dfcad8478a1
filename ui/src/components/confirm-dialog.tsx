import { useRef, useState } from 'react'
import { Button } from './button.tsx'
import { Dialog, DialogFooter } from './dialog.tsx'

/** Asks before what cannot be undone. The title names the thing ("Cancel G-12?"), the button the act ("Cancel goal"). */
export function ConfirmDialog(props: {
  open: boolean
  title: string
  /** What happens, and what stays. */
  detail: string
  confirm: string
  /** The way back: "Keep it running". */
  dismiss?: string
  onConfirm: () => Promise<void> | void
  onClose: () => void
}) {
  const [busy, setBusy] = useState(false)
  const safe = useRef<HTMLButtonElement>(null)
  const confirm = async () => {
    setBusy(true)
    try {
      await props.onConfirm()
    } finally {
      setBusy(false)
    }
    props.onClose()
  }
  return (
    <Dialog
      {...{ open: props.open, onClose: props.onClose, title: props.title, width: 'sm' }}
      description={props.detail}
      initialFocus={safe}
    >
      <DialogFooter className="mt-4">
        <Button ref={safe} onClick={props.onClose}>
          {props.dismiss ?? 'Not now'}
        </Button>
        <Button tone="danger" busy={busy} onClick={() => void confirm()}>
          {props.confirm}
        </Button>
      </DialogFooter>
    </Dialog>
  )
}
