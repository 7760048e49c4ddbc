import { Button, Group, Text } from '@mantine/core';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import styles from './dialog.module.css';

interface ConfirmDialogProps {
  /** A question. */
  readonly title: string;
  /** What confirming does. */
  readonly children: ReactNode;
  /** The button that says yes, such as `Cancel job`. */
  readonly confirm: string;
  /** The button that says no, such as `Keep job`. */
  readonly dismiss: string;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something that cannot be undone. Opens when rendered. Mantine's Modal adds styles our policy forbids. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, confirm, dismiss, isBusy, onConfirm, onClose } = props;
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog ref={ref} className={styles.dialog} aria-labelledby={id} onCancel={onClose}>
      <h2 id={id}>{title}</h2>
      <Text inherit my={14}>
        {children}
      </Text>
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose}>
          {dismiss}
        </Button>
        <Button color="red" loading={isBusy} onClick={onConfirm}>
          {confirm}
        </Button>
      </Group>
    </dialog>
  );
}
