import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import styles from './filters.module.css';

/** How long a pause in typing must be before the list is loaded, in milliseconds. */
const TYPING_MS = 300;

/** The filters of a list, which its address holds. */
export interface FilterState<Name extends string> {
  readonly values: Readonly<Record<Name, string>>;
  readonly isActive: boolean;
  readonly choose: (name: Name, value: string) => void;
  readonly clear: () => void;
  /** How often the filters were cleared. */
  readonly clears: number;
}

/** @param names of the address's parameters; must be the same array each time. */
export function useFilters<Name extends string>(names: readonly Name[]): FilterState<Name> {
  const [params, setParams] = useSearchParams();
  const [clears, setClears] = useState(0);
  const values = useMemo(
    () => Object.fromEntries(names.map((name) => [name, params.get(name) ?? ''])) as Record<Name, string>,
    [names, params],
  );
  return {
    values,
    isActive: names.some((name) => values[name] !== ''),
    choose(name, value) {
      setParams(
        (known) => {
          if (value === '') known.delete(name);
          else known.set(name, value);
          return known;
        },
        { replace: true },
      );
    },
    clear() {
      setParams({}, { replace: true });
      setClears((count) => count + 1);
    },
    clears,
  };
}

export interface FilterField<Name extends string> {
  readonly name: Name;
  readonly label: string;
  /** Left out for a text. The option with an empty value filters nothing. */
  readonly options?: readonly { readonly value: string; readonly label: string }[];
}

interface FiltersProps<Name extends string> {
  readonly label: string;
  readonly filters: FilterState<Name>;
  readonly fields: readonly FilterField<Name>[];
  readonly children?: ReactNode;
}

/** The filters above a list. */
export function Filters<Name extends string>({ label, filters, fields, children }: FiltersProps<Name>) {
  const { values, choose, clear, clears, isActive } = filters;
  const chooseSoon = useDebouncedCallback(choose, TYPING_MS);
  return (
    <Group component="search" className={styles.filters} align="flex-end" gap={10} aria-label={label}>
      {fields.map(({ name, label, options }) =>
        options === undefined ? (
          <TextInput
            // Starts over when the filters are cleared.
            key={`${name} ${clears}`}
            label={label}
            size="xs"
            defaultValue={values[name]}
            onChange={({ currentTarget }) => chooseSoon(name, currentTarget.value.trim())}
            spellCheck={false}
            autoComplete="off"
          />
        ) : (
          <NativeSelect
            key={name}
            label={label}
            size="xs"
            value={values[name]}
            onChange={({ currentTarget }) => choose(name, currentTarget.value)}
            data={[...options]}
          />
        ),
      )}
      {children}
      {isActive && (
        <Button size="xs" variant="subtle" onClick={clear}>
          Clear filters
        </Button>
      )}
    </Group>
  );
}
