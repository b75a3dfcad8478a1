import { Component, type ReactNode } from 'react'
import { Fault } from './fault.tsx'

/** Keeps a fault of one part from taking the page with it. A new `key` starts afresh. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  private readonly reset = () => this.setState({ error: undefined as never })

  override render() {
    if (this.state.error) return <Fault error={this.state.error} reset={this.reset} />
    return this.props.children
  }
}
