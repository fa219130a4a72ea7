import { LogOut } from "lucide-react";
import { useSession, useSignIn } from "../api/session.ts";
import { Menu } from "../ui/menu.tsx";

const roles: Readonly<Record<string, string>> = { viewer: "Viewer, read-only", editor: "Editor", admin: "Admin" };

/** The credential that is signed in, and signing out. */
export function AccountMenu({ isAvatarOnly = false }: { readonly isAvatarOnly?: boolean }) {
  const session = useSession();
  const { signOut } = useSignIn();
  if (!session) return null;
  const { name, scope } = session;
  const avatar = (
    <span className="avatar" aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
  return (
    <Menu
      label={isAvatarOnly ? `${initialsOf(name)}: signed in as ${name}` : undefined}
      className={isAvatarOnly ? "account avatar-only" : "account"}
      button={
        isAvatarOnly ? (
          avatar
        ) : (
          <>
            {avatar}
            <span className="account-text">
              <span className="small strong ellipsis">{name}</span>
              <span className="tiny dim">{roles[scope] ?? scope}</span>
            </span>
          </>
        )
      }
      items={[{ name: "Sign out", icon: <LogOut size={15} aria-hidden />, onChoose: () => void signOut() }]}
    />
  );
}

function initialsOf(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}
