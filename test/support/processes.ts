import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Processes that have something to do with a folder: by command line, environment or working directory (Linux). */
export function processesAbout(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => concerns(pid, folder))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 120)}`)
}

function concerns(pid: string, folder: string): boolean {
  if (read(pid, 'cmdline') === '') return false // a zombie, or of the kernel
  if (read(pid, 'cmdline').includes(folder) || read(pid, 'environ').includes(folder)) return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
  } catch {
    return false // ended, or not ours to look at
  }
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return '' // ended, or not ours to look at
  }
}
