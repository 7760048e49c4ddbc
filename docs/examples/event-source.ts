/**
 * Watches a job with nothing but what a browser has; the package undici has the same EventSource for Node.
 * @param url such as http://127.0.0.1:4000/graphql
 */
export function watchJob(url: string, id: string, onChange: (job: JobState) => void): Promise<void> {
  const query = `subscription { jobProgress(id: "${id}") { state revision progress { percent } } }`;
  const events = new EventSource(`${url}?query=${encodeURIComponent(query)}`);
  return new Promise((resolve) => {
    events.addEventListener('next', ({ data }) => onChange(JSON.parse(data).data.jobProgress));
    events.addEventListener('complete', () => {
      events.close();
      resolve();
    });
  });
}

interface JobState {
  readonly state: string;
  readonly revision: number;
  readonly progress: { readonly percent: number | null };
}
