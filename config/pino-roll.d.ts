/** The package brings no types: only what we use. */
declare module 'pino-roll' {
  interface Options {
    file: string
    extension?: string
    size?: string
    mkdir?: boolean
    mode?: number
    sync?: boolean
    maxLength?: number
    limit?: { count: number; removeOtherLogFiles?: boolean }
  }
  // biome-ignore lint/style/noDefaultExport: the package's own shape
  export default function build(
    options: Options,
  ): Promise<import('pino').DestinationStream & import('node:events').EventEmitter>
}
