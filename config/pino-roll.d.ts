/** The package brings no types: only what we use. */
declare module 'pino-roll' {
  interface Options {
    file: string
    extension?: string
    size?: string
    mkdir?: boolean
    mode?: number
    sync?: boolean
    limit?: { count: number; removeOtherLogFiles?: boolean }
  }
  function build(options: Options): Promise<import('pino').DestinationStream>

  export { build as default }
}
