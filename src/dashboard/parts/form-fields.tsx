import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { type ReactNode, use } from 'react';
import styles from './form.module.css';
import { concerns, IssuesContext } from './form.tsx';
import { Faint } from './text.tsx';

function useIssue(name: string): string | null {
  const texts = use(IssuesContext)
    .filter((issue) => concerns(issue, name))
    .map(({ field, message }) => (field === name ? message : `${field.slice(name.length + 1)}: ${message}`));
  return texts.length === 0 ? null : texts.join('; ');
}

interface FieldProps {
  /** Its path in the mutation's input. */
  readonly name: string;
  readonly label: string;
  readonly description?: ReactNode;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly defaultValue?: string | undefined;
}

/** What all text inputs have in common. */
function useTextInput({ required = false, ...field }: FieldProps, isCode: boolean) {
  return {
    ...field,
    required,
    withAsterisk: required,
    error: useIssue(field.name),
    autoComplete: 'off',
    spellCheck: false,
    ...(isCode ? { 'data-code': true, classNames: { input: styles.input ?? '' } } : {}),
  };
}

interface TextFieldProps extends FieldProps {
  readonly list?: string;
  readonly isNumber?: boolean;
  readonly isCode?: boolean;
}

export function TextField({ list, isNumber = false, isCode = false, ...field }: TextFieldProps) {
  return (
    <TextInput
      {...useTextInput(field, isCode)}
      {...(list === undefined ? {} : { list })}
      {...(isNumber ? { inputMode: 'numeric', maw: 320 } : {})}
    />
  );
}

export function CodeField({ rows, ...field }: FieldProps & { rows: number }) {
  return <Textarea {...useTextInput(field, true)} rows={rows} resize="vertical" />;
}

interface Option {
  readonly value: string;
  readonly label: string;
}

export function SelectField({
  options,
  required = false,
  ...field
}: FieldProps & { options: readonly Option[] }) {
  return (
    <NativeSelect
      {...field}
      maw={320}
      required={required}
      withAsterisk={required}
      data={[...options]}
      error={useIssue(field.name)}
    />
  );
}

interface RadioFieldProps extends Pick<FieldProps, 'name' | 'label'> {
  /** The first one is chosen at first. */
  readonly options: readonly (Option & { readonly description: string })[];
}

/** Native radio buttons: Mantine's would add 1.5 KB to the first page. */
export function RadioField({ name, label, options }: RadioFieldProps) {
  return (
    <fieldset className={styles.radios}>
      <legend>{label}</legend>
      {options.map(({ value, label, description }, index) => (
        <label key={value}>
          <input type="radio" name={name} value={value} defaultChecked={index === 0} />
          <span>
            {label} <Faint>{description}</Faint>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function CheckField({
  isChecked,
  ...field
}: Pick<FieldProps, 'name' | 'label' | 'description'> & { isChecked: boolean }) {
  return <Checkbox {...field} defaultChecked={isChecked} error={useIssue(field.name)} />;
}
