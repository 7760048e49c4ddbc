import { Button, type ButtonProps } from '@mantine/core';
import { Icon, type IconName } from './icon.tsx';

interface IconButtonProps extends ButtonProps {
  readonly icon: IconName;
  readonly onClick: () => void;
}

/** A button with an icon beside its text. */
export function IconButton({ icon, ...props }: IconButtonProps) {
  return <Button leftSection={<Icon name={icon} />} {...props} />;
}
