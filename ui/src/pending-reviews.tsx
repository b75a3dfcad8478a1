import type { ReviewSummary } from '../../contracts/schemas.ts'

/** What waits for a person, with the command that shows it. */
export function PendingReviews({ reviews }: { reviews: readonly ReviewSummary[] }) {
  return (
    <section aria-labelledby="reviews">
      <h2 id="reviews">Waiting for you</h2>
      {reviews.length === 0 ? (
        <p className="quiet">Nothing waits for a decision.</p>
      ) : (
        <ul className="reviews">
          {reviews.map((review) => (
            <li key={review.id}>
              <span className="short-id">{review.shortId}</span>{' '}
              <span className="title">{review.title}</span>{' '}
              <span className="quiet">
                {review.kind} of {review.taskShortId ?? review.goalShortId}
              </span>
              <code>dispatch review {review.shortId}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
