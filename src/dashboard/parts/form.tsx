import type { OperationVariables, TypedDocumentNode } from '@apollo/client';
import { Button, Group, Text } from '@mantine/core';
import { createContext, type ReactNode, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { RefusalNotice } from '../actions/refusal.tsx';
import { type Action, type Issue, type Success, useAction } from '../actions/use-action.ts';
import type { AccessRole } from '../generated/graphql.ts';
import { useAccess } from '../shell/access.tsx';
import styles from './form.module.css';
import { FormValues } from './form-values.ts';

/** The state of a form, and how it is submitted. */
export interface FormState {
  readonly action: Action;
  readonly submit: (values: FormValues) => Promise<void>;
  /** Whether the last submission succeeded. */
  readonly isSaved: boolean;
}

/**
 * Submits a form as a mutation.
 * @param read makes the mutation's variables of the form's values; issues it finds keep the form from being sent.
 * @param onSuccess runs with what the mutation returned.
 */
export function useForm<Data, Variables extends OperationVariables>(
  document: TypedDocumentNode<Data, Variables>,
  read: (values: FormValues) => Variables,
  onSuccess: (result: Success<Data>) => void,
): FormState {
  const action = useAction();
  const [isSaved, setSaved] = useState(false);
  return {
    action,
    isSaved,
    async submit(values) {
      setSaved(false);
      const variables = read(values);
      if (values.issues.length > 0) {
        action.refuse(values.issues);
        return;
      }
      const result = await action.run(document, variables);
      if (result === null) return;
      setSaved(true);
      onSuccess(result);
    },
  };
}

/** The issues of the form around a field. */
export const IssuesContext = createContext<readonly Issue[]>([]);

/** Whether an issue belongs to a field: those of what is inside it do too, such as `parameters.base`. */
export function concerns({ field }: Issue, name: string): boolean {
  return name !== '' && (field === name || field.startsWith(`${name}.`));
}

interface FormProps {
  readonly form: FormState;
  readonly label: string;
  readonly children: ReactNode;
  /** The role it takes to submit it. */
  readonly needs: AccessRole;
  /** The submit button. */
  readonly submit: ReactNode;
  readonly icon?: ReactNode;
  /** Said beside the buttons once it is saved, where the page stays. */
  readonly saved?: string;
  /** Where the back button leads; no button if left out. */
  readonly backTo?: string;
}

/**
 * A form. Each field is named by its path in the mutation's input and shows its own issues; all others are shown above.
 */
export function Form({ form, label, children, needs, submit, icon, saved, backTo }: FormProps) {
  const { action, isSaved } = form;
  const { refusal } = action;
  const issues = refusal?.kind === 'invalid' ? refusal.issues : NO_ISSUES;
  const ref = useRef<HTMLFormElement>(null);
  const [names, setNames] = useState<readonly string[]>([]);
  const { control, note } = useAccess(needs);

  // Opens folds that hide a field at fault, and moves the focus to the first one.
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    setNames([...element.elements].map((field) => field.getAttribute('name') ?? ''));
    if (refusal === null) return;
    const faulty = [...element.querySelectorAll<HTMLElement>('[aria-invalid="true"]')];
    for (const field of faulty) {
      const fold = field.closest('details');
      if (fold !== null) fold.open = true;
    }
    (faulty[0] ?? element.querySelector<HTMLElement>('[role="alert"]'))?.focus();
  }, [refusal]);

  const others = issues.filter((issue) => !names.some((name) => concerns(issue, name)));
  return (
    <IssuesContext value={issues}>
      <form
        ref={ref}
        className={styles.form}
        aria-label={label}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void form.submit(new FormValues(new FormData(event.currentTarget)));
        }}
      >
        {refusal?.kind !== 'invalid' && <RefusalNotice refusal={refusal} />}
        {others.length > 0 && <RefusalNotice refusal={{ kind: 'invalid', issues: others }} />}
        {children}
        <Group gap={8}>
          <Button type="submit" loading={action.running !== null} leftSection={icon} {...control}>
            {submit}
          </Button>
          {backTo !== undefined && (
            <Button variant="default" component={Link} to={backTo}>
              Back
            </Button>
          )}
          <Text span inherit c="green" role="status">
            {isSaved && saved}
          </Text>
          {note}
        </Group>
      </form>
    </IssuesContext>
  );
}

const NO_ISSUES: readonly Issue[] = [];

/** Fields side by side. */
export function FieldRow({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}

/** Fields that are hidden until they are asked for. */
export function FieldFold({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className={styles.fold}>
      <summary>{title}</summary>
      <FieldRow>{children}</FieldRow>
    </details>
  );
}
