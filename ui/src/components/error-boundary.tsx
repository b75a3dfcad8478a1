import { Component, type ReactNode } from 'react'
import { ErrorState } from './states.tsx'

/** Keeps a fault of one part from taking the page with it. A new `key` starts afresh. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    if (this.state.error)
      return (
        <ErrorState
          error={this.state.error}
          onRetry={() => this.setState({ error: undefined as never })}
        />
      )
    return this.props.children
  }
}
