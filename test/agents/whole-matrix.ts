/** `npm run test:agents` asks for every scenario; `npm test` for the core of them, which is enough to see that nothing is broken. */
export const isWholeMatrix = process.env['DISPATCH_AGENT_MATRIX'] === '1'
