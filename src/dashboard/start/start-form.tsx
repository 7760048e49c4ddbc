import type { OperationVariables, TypedDocumentNode } from '@apollo/client';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import type { Success } from '../actions/use-action.ts';
import { readKey } from '../format/ids.ts';
import { Form, useForm } from '../parts/form.tsx';
import type { FormValues } from '../parts/form-values.ts';
import { Icon } from '../parts/icon.tsx';
import { JobOptionFields } from './job-option-fields.tsx';

interface StartFormProps<Data, Variables> {
  readonly label: string;
  readonly submit: string;
  readonly document: TypedDocumentNode<Data, Variables>;
  readonly read: (values: FormValues) => Variables;
  /** Finds the job that was started. */
  readonly findJob: (result: Success<Data>) => { readonly id: string };
  readonly children: ReactNode;
}

/** A form that starts a job and then shows it. */
export function StartForm<Data, Variables extends OperationVariables>(
  props: StartFormProps<Data, Variables>,
) {
  const { label, submit, document, read, findJob, children } = props;
  const navigate = useNavigate();
  const form = useForm(document, read, (result) => {
    void navigate(`/jobs/${readKey(findJob(result).id)}`);
  });
  return (
    <Form form={form} label={label} needs="OPERATOR" submit={submit} icon={<Icon name="play" />} backTo="/">
      {children}
      <JobOptionFields />
    </Form>
  );
}
