import { Dialog } from '../../components/dialog.tsx'

/** What slides over the page where there is no room beside it. Its own file: wide screens never load it. */
export function OverMain(props: {
  shape: 'sheet' | 'drawer'
  title: string
  open: boolean
  onClose: () => void
  children: React.ReactNode
}) {
  return <Dialog {...props} bare width={null} />
}
