import type { Page } from 'playwright-core';

/** Waits until the open page of a job shows this state, such as `Completed`. */
export async function waitForState(page: Page, state: string): Promise<void> {
  await page
    .getByRole('group', { name: 'State of the job' })
    .getByText(state, { exact: true })
    .first()
    .waitFor();
}
