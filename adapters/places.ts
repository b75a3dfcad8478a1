/** A place where installers put agents. Data for `find-program.ts`, which reads the rows in this order after the PATH. */
export interface Place {
  /** Who puts programs there, in the words that people know it by. */
  by: string
  /** `~` is the home, `$NAME` a variable (without it the row is left out), `*` whatever is there, the newest version first. */
  path: string
  /** The path is the program's file, with its name as `{name}`, and not the folder it is in. */
  file?: true
  /** The file that names the version to be looked at first, as nvm writes its alias. */
  first?: string
  /** Other systems do not have this place; a row without it is looked at on all but Windows. */
  on?: 'darwin' | 'win32'
  /** Only this program is there. */
  only?: string
}

/** The prefix in the person's `.npmrc`; it is read, npm is not run. */
export const NPMRC_PREFIX = 'NPMRC_PREFIX'

/**
 * What a person installed for themselves goes before what came with the system; what manages versions is after what does not; what an editor
 * or an app brought along comes last, because its owner updates it. From the installers' own documentation.
 */
export const PLACES: readonly Place[] = [
  { by: "the agent's own installer", path: '~/.local/bin' },
  { by: "Claude Code's local installation", path: '~/.claude/local', only: 'claude' },
  {
    by: "Claude Code's local installation",
    path: '~/.claude/local/node_modules/.bin',
    only: 'claude',
  },
  {
    by: "Claude Code's own installer",
    path: '~/.local/share/claude/versions/*',
    file: true,
    only: 'claude',
  },
  { by: 'the home', path: '~/bin' },
  { by: 'Homebrew (Apple silicon)', path: '/opt/homebrew/bin' },
  { by: 'Homebrew (Intel) or npm', path: '/usr/local/bin' },
  { by: 'Homebrew (Linux)', path: '/home/linuxbrew/.linuxbrew/bin' },
  { by: 'Homebrew (Linux)', path: '~/.linuxbrew/bin' },
  { by: "Homebrew's Node (Apple silicon)", path: '/opt/homebrew/opt/node@*/bin' },
  { by: "Homebrew's Node (Intel)", path: '/usr/local/opt/node@*/bin' },
  { by: 'npm', path: '$NPM_CONFIG_PREFIX/bin' },
  { by: 'npm', path: '$npm_config_prefix/bin' },
  { by: 'npm', path: `$${NPMRC_PREFIX}/bin` },
  { by: 'npm', path: '~/.npm-global/bin' },
  { by: 'npm', path: '~/.npm-packages/bin' },
  { by: 'npm', path: '~/node_modules/.bin' },
  { by: 'pnpm', path: '$PNPM_HOME' },
  { by: 'pnpm', path: '$PNPM_HOME/bin' },
  { by: 'pnpm', path: '$XDG_DATA_HOME/pnpm' },
  { by: 'pnpm', path: '~/.local/share/pnpm' },
  { by: 'pnpm', path: '~/Library/pnpm' },
  { by: 'bun', path: '$BUN_INSTALL/bin' },
  { by: 'bun', path: '~/.bun/bin' },
  { by: 'bun', path: '~/.cache/.bun/bin' },
  { by: 'yarn', path: '~/.yarn/bin' },
  { by: 'yarn', path: '~/.config/yarn/global/node_modules/.bin' },
  { by: 'yarn', path: '/usr/local/share/.config/yarn/global/node_modules/.bin' },
  { by: 'Deno', path: '$DENO_INSTALL/bin' },
  { by: 'Deno', path: '~/.deno/bin' },
  { by: 'Volta', path: '$VOLTA_HOME/bin' },
  { by: 'Volta', path: '~/.volta/bin' },
  { by: 'nvm', path: '$NVM_DIR/versions/node/*/bin', first: '$NVM_DIR/alias/default' },
  { by: 'nvm', path: '~/.nvm/versions/node/*/bin', first: '~/.nvm/alias/default' },
  { by: 'nvm', path: '~/.config/nvm/versions/node/*/bin', first: '~/.config/nvm/alias/default' },
  { by: 'fnm', path: '$FNM_MULTISHELL_PATH/bin' },
  { by: 'fnm', path: '$FNM_DIR/aliases/default/bin' },
  { by: 'fnm', path: '$FNM_DIR/node-versions/*/installation/bin' },
  { by: 'fnm', path: '~/.local/share/fnm/aliases/default/bin' },
  { by: 'fnm', path: '~/.local/share/fnm/node-versions/*/installation/bin' },
  { by: 'fnm', path: '~/Library/Application Support/fnm/aliases/default/bin' },
  { by: 'fnm', path: '~/Library/Application Support/fnm/node-versions/*/installation/bin' },
  { by: 'fnm', path: '~/.fnm/node-versions/*/installation/bin' },
  { by: 'n', path: '$N_PREFIX/bin' },
  { by: 'n', path: '~/n/bin' },
  { by: 'nodenv', path: '~/.nodenv/versions/*/bin', first: '~/.nodenv/version' },
  { by: 'nodebrew', path: '~/.nodebrew/current/bin' },
  { by: 'asdf', path: '$ASDF_DATA_DIR/installs/nodejs/*/bin' },
  { by: 'asdf', path: '$ASDF_DATA_DIR/shims' },
  { by: 'asdf', path: '~/.asdf/installs/nodejs/*/bin' },
  { by: 'asdf', path: '~/.asdf/shims' },
  { by: 'mise', path: '$MISE_DATA_DIR/installs/*/*/bin' },
  { by: 'mise', path: '$MISE_DATA_DIR/shims' },
  { by: 'mise', path: '~/.local/share/mise/installs/*/*/bin' },
  { by: 'mise', path: '~/.local/share/mise/shims' },
  { by: 'proto', path: '~/.proto/bin' },
  { by: 'proto', path: '~/.proto/shims' },
  { by: 'Nix', path: '~/.nix-profile/bin' },
  { by: 'Nix', path: '~/.local/state/nix/profile/bin' },
  { by: 'Nix (home-manager)', path: '~/.local/state/nix/profiles/home-manager/home-path/bin' },
  { by: 'Nix (of the user)', path: '/etc/profiles/per-user/$USER/bin' },
  { by: 'Nix (of the user)', path: '/nix/var/nix/profiles/per-user/$USER/profile/bin' },
  { by: 'Nix', path: '/nix/var/nix/profiles/default/bin' },
  { by: 'NixOS', path: '/run/current-system/sw/bin' },
  { by: 'Guix', path: '~/.guix-profile/bin' },
  { by: 'Cargo', path: '$CARGO_HOME/bin' },
  { by: 'Cargo', path: '~/.cargo/bin' },
  { by: 'MacPorts', path: '/opt/local/bin', on: 'darwin' },
  { by: 'the system', path: '/usr/bin' },
  { by: "Node's archive", path: '/usr/local/lib/nodejs/*/bin' },
  { by: 'snap', path: '/snap/bin' },
  { by: 'snap', path: '/var/lib/snapd/snap/bin' },
  { by: 'Flatpak', path: '/var/lib/flatpak/exports/bin/*.{name}', file: true },
  { by: 'Flatpak', path: '~/.local/share/flatpak/exports/bin/*.{name}', file: true },
  {
    by: "Claude's app",
    path: '~/Library/Application Support/Claude/claude-code/*/{name}',
    file: true,
    on: 'darwin',
    only: 'claude',
  },
  {
    by: "Codex' app",
    path: '/Applications/Codex.app/Contents/Resources/{name}',
    file: true,
    on: 'darwin',
    only: 'codex',
  },
  {
    by: "Codex' app",
    path: '~/Applications/Codex.app/Contents/Resources/{name}',
    file: true,
    on: 'darwin',
    only: 'codex',
  },
  ...['.vscode', '.vscode-server', '.cursor', '.windsurf'].flatMap((editor): Place[] => [
    {
      by: 'an extension of an editor',
      path: `~/${editor}/extensions/anthropic.claude-code-*/resources/native-binary/{name}`,
      file: true,
      only: 'claude',
    },
    {
      by: 'an extension of an editor',
      path: `~/${editor}/extensions/openai.chatgpt-*/bin/*/{name}`,
      file: true,
      only: 'codex',
    },
  ]),
  { by: "the agent's own installer", path: '$USERPROFILE/.local/bin', on: 'win32' },
  { by: 'npm', path: '$APPDATA/npm', on: 'win32' },
  { by: 'npm', path: '$ProgramFiles/nodejs', on: 'win32' },
  { by: 'nvm for Windows', path: '$NVM_SYMLINK', on: 'win32' },
  { by: 'pnpm', path: '$LOCALAPPDATA/pnpm', on: 'win32' },
  { by: 'bun', path: '$USERPROFILE/.bun/bin', on: 'win32' },
  { by: 'Volta', path: '$LOCALAPPDATA/Volta/bin', on: 'win32' },
  { by: 'Scoop', path: '$USERPROFILE/scoop/shims', on: 'win32' },
  { by: 'WinGet', path: '$LOCALAPPDATA/Microsoft/WinGet/Links', on: 'win32' },
  { by: 'Chocolatey', path: '$ChocolateyInstall/bin', on: 'win32' },
  { by: 'Cargo', path: '$USERPROFILE/.cargo/bin', on: 'win32' },
]
