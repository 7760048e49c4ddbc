import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { createContext, type ReactNode, use, useEffect, useRef, useState } from 'react';
import { ErrorNotice, NO_ANSWER } from './notice.tsx';

/** What is wrong with one field, by its path within the mutation's input, such as `options.batchSize`. */
export interface Issue {
  readonly field: string;
  readonly message: string;
}

/** What stands in the way of what a form was sent for. */
export interface Problems {
  readonly issues: readonly Issue[];
  /** What concerns no field. */
  readonly message: ReactNode;
}

export const NO_PROBLEMS: Problems = { issues: [], message: null };

/** What a mutation that was refused has against its input: the fields at fault or else its message. */
export function problemsOf(
  refusal: { readonly message: string; readonly issues?: readonly Issue[] } | undefined,
): Problems {
  if (refusal?.issues === undefined) return { issues: [], message: refusal?.message ?? NO_ANSWER };
  // Paths of the server begin with the argument: `input.options.batchSize`.
  const issues = refusal.issues.map(({ field, message }) => ({
    field: field.replace(/^input\.?/, ''),
    message,
  }));
  return { issues, message: null };
}

const FormContext = createContext<Problems>(NO_PROBLEMS);

interface FormProps {
  readonly label: string;
  readonly problems: Problems;
  readonly onSubmit: (values: FormValues) => Promise<void>;
  readonly children: ReactNode;
  /** The buttons at its end. */
  readonly buttons: ReactNode;
}

/**
 * A form whose fields are named by their paths in the mutation's input, and which shows at each what the server has
 * against it; what it has against no field that is shown stands above.
 */
export function Form({ label, problems, onSubmit, children, buttons }: FormProps) {
  const ref = useRef<HTMLFormElement>(null);
  const [names, setNames] = useState<readonly string[]>([]);

  useEffect(() => {
    const form = ref.current;
    if (form === null) return;
    setNames([...form.elements].map((element) => element.getAttribute('name') ?? ''));
    if (problems === NO_PROBLEMS) return;
    const faulty = [...form.querySelectorAll<HTMLElement>('[aria-invalid="true"]')];
    for (const field of faulty) {
      const fold = field.closest('details');
      if (fold !== null) fold.open = true;
    }
    (faulty[0] ?? form.querySelector<HTMLElement>('[role="alert"]'))?.focus();
  }, [problems]);

  const elsewhere = problems.issues.filter(({ field }) => !names.some((name) => concerns(field, name)));
  return (
    <FormContext value={problems}>
      <form
        ref={ref}
        className="form"
        aria-label={label}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void onSubmit(new FormValues(new FormData(event.currentTarget)));
        }}
      >
        {(problems.message !== null || elsewhere.length > 0) && (
          <ErrorNotice title="That was not possible">
            {problems.message !== null && <div>{problems.message}</div>}
            {elsewhere.map(({ field, message }) => (
              <p key={field + message}>
                {field === '' ? '' : `${field}: `}
                {message}
              </p>
            ))}
          </ErrorNotice>
        )}
        {children}
        <div className="actions">{buttons}</div>
      </form>
    </FormContext>
  );
}

/** Whether what is said of a path belongs to a field: what is inside of it does too, as `parameters.base`. */
function concerns(path: string, name: string): boolean {
  return name !== '' && (path === name || path.startsWith(`${name}.`));
}

function useIssue(name: string): string | null {
  const { issues } = use(FormContext);
  const texts = issues
    .filter(({ field }) => concerns(field, name))
    .map(({ field, message }) => (field === name ? message : `${field.slice(name.length + 1)}: ${message}`));
  return texts.length === 0 ? null : texts.join('; ');
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly description?: ReactNode;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly defaultValue?: string | undefined;
}

export function TextField({
  list,
  isNumber = false,
  isCode = false,
  ...field
}: FieldProps & { list?: string; isNumber?: boolean; isCode?: boolean }) {
  return (
    <TextInput
      {...field}
      {...(list === undefined ? {} : { list })}
      {...(isNumber ? { inputMode: 'numeric' } : {})}
      className={isNumber ? 'field-short' : 'field'}
      classNames={isCode ? { input: 'mono' } : {}}
      withAsterisk={field.required ?? false}
      error={useIssue(field.name)}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

export function CodeField({ rows, ...field }: FieldProps & { rows: number }) {
  return (
    <Textarea
      {...field}
      rows={rows}
      className="field"
      classNames={{ input: 'mono code-input' }}
      withAsterisk={field.required ?? false}
      error={useIssue(field.name)}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

export function SelectField({
  options,
  ...field
}: FieldProps & { options: readonly { value: string; label: string }[] }) {
  return (
    <NativeSelect
      {...field}
      className="field-short"
      withAsterisk={field.required ?? false}
      data={[...options]}
      error={useIssue(field.name)}
    />
  );
}

export function CheckField({
  name,
  label,
  description,
  isChecked,
}: Pick<FieldProps, 'name' | 'label' | 'description'> & { isChecked: boolean }) {
  return (
    <Checkbox
      name={name}
      label={label}
      description={description}
      defaultChecked={isChecked}
      error={useIssue(name)}
    />
  );
}

/** What was put into a form. Values that cannot be sent are issues of their own, of the same kind as the server's. */
export class FormValues {
  readonly issues: Issue[] = [];
  readonly #data: FormData;

  constructor(data: FormData) {
    this.#data = data;
  }

  /** What was written, as it was written. */
  text(name: string): string {
    const value = this.#data.get(name);
    return typeof value === 'string' ? value : '';
  }

  /** Without the blanks around it; null for nothing. */
  optional(name: string): string | null {
    const text = this.text(name).trim();
    return text === '' ? null : text;
  }

  isChecked(name: string): boolean {
    return this.#data.get(name) !== null;
  }

  /** A whole number; null for nothing. */
  wholeNumber(name: string): number | null {
    const text = this.optional(name);
    if (text === null) return null;
    // People write large numbers in groups.
    const value = Number(text.replaceAll(/[\s,_]/g, ''));
    if (Number.isInteger(value) && Math.abs(value) <= LARGEST_INT) return value;
    this.issues.push({ field: name, message: 'must be a whole number such as 5000' });
    return null;
  }

  /** A JSON object; null for nothing. */
  json(name: string): Record<string, unknown> | null {
    const text = this.optional(name);
    if (text === null) return null;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        return value as Record<string, unknown>;
      }
      this.issues.push({ field: name, message: 'must be a JSON object, such as {"base": "ATL"}' });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.issues.push({ field: name, message: `is not JSON: ${detail}` });
    }
    return null;
  }
}

/** The greatest value of GraphQL's Int. */
const LARGEST_INT = 2 ** 31 - 1;
