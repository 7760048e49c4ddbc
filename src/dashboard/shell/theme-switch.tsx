import { useMantineColorScheme } from '@mantine/core';
import { Icon, type IconName } from '../parts/icon.tsx';

const SCHEMES = ['auto', 'light', 'dark'] as const;

const LOOKS: Record<(typeof SCHEMES)[number], { text: string; icon: IconName }> = {
  auto: { text: 'as the system', icon: 'screen' },
  light: { text: 'light', icon: 'sun' },
  dark: { text: 'dark', icon: 'moon' },
};

/** Goes from the system's colours to light ones to dark ones; the choice is kept in this browser. */
export function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = SCHEMES[(SCHEMES.indexOf(colorScheme) + 1) % SCHEMES.length] ?? 'auto';
  const { text, icon } = LOOKS[colorScheme];
  const label = `Colours: ${text}. Change to ${LOOKS[next].text}`;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(next)}
    >
      <Icon name={icon} />
    </button>
  );
}
