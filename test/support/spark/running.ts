import type { SparkServer } from './connect.ts';

/** What Spark works on, as its status API has it. */
interface SparkJob {
  readonly jobTags: readonly string[];
}

/** Lists the tags of the statements of a job that Spark works on, such as `partition … attempt 1`: one for each Spark job. */
export async function listRunning({ statusUrl }: SparkServer, jobId: string): Promise<readonly string[]> {
  const [application] = await read<readonly { readonly id: string }[]>(`${statusUrl}/applications`);
  const jobs = await read<readonly SparkJob[]>(
    `${statusUrl}/applications/${application?.id}/jobs?status=running`,
  );
  const mark = `_Tag_BLADE job ${jobId} `;
  return jobs.flatMap(({ jobTags }) => jobTags.flatMap((tag) => tag.split(mark).slice(1)));
}

async function read<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Answer;
}
