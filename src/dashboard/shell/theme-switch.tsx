import { Button, useMantineColorScheme } from '@mantine/core';
import { Icon, type IconName } from '../parts/icon.tsx';

const SCHEMES = ['auto', 'light', 'dark'] as const;

const LOOKS: Record<(typeof SCHEMES)[number], { text: string; icon: IconName }> = {
  auto: { text: 'system', icon: 'screen' },
  light: { text: 'light', icon: 'sun' },
  dark: { text: 'dark', icon: 'moon' },
};

/** Switches between the system's, light and dark colors; this browser keeps the choice. */
export function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = SCHEMES[(SCHEMES.indexOf(colorScheme) + 1) % SCHEMES.length] ?? 'auto';
  const { text, icon } = LOOKS[colorScheme];
  const label = `Theme: ${text}. Switch to ${LOOKS[next].text}.`;
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-md"
      px={7}
      c="dimmed"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(next)}
    >
      <Icon name={icon} />
    </Button>
  );
}
