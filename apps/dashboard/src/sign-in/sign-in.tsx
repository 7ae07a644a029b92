import { useState } from 'preact/hooks';
import { messageOf } from '../api/client.js';
import { usePage } from '../shell/page-context.js';

/** Asks for an API key where the gateway has keys. */
export function SignIn({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const { api } = usePage();
  const [key, setKey] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const signIn = async (): Promise<void> => {
    setBusy(true);
    setFault(null);
    try {
      const { scopes } = await api.signIn(key.trim());
      if (scopes.includes('read')) return onSignedIn();
      await api.signOut();
      setFault('This key does not allow reading. Use a key with the scope read or control.');
    } catch (error) {
      setFault(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void signIn();
      }}
    >
      <h2>Sign in</h2>
      <p>This gateway has API keys. A key with the scope read or control opens this page.</p>
      <label>
        <span>API key</span>
        <input
          type="password"
          name="key"
          autocomplete="current-password"
          required
          value={key}
          aria-invalid={fault !== null}
          aria-describedby={fault === null ? undefined : 'sign-in-fault'}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
      </label>
      {fault !== null && (
        <p id="sign-in-fault" class="bad" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" class="strong" disabled={busy}>
        Sign in
      </button>
    </form>
  );
}
