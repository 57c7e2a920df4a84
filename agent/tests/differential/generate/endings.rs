//! What ends a program early, or says how it ends.

use super::{Gen, Needs, Node, Place, Statement};

pub(super) const STATEMENTS: &[Statement] = &[(2, Needs::Nothing, ending)];

fn ending(g: &mut Gen, place: &mut Place) -> Node {
    if !g.exits || place.depth == 0 {
        return g.log();
    }
    g.exits = false;
    let code = g.random.between(0, 9);
    Node::text(
        g.random
            .pick(&[
                "process.exit($);",
                "process.exit();",
                "process.exitCode = $;",
                "process.exitCode = $;\nprocess.exit();",
                "queueMicrotask(() => process.exit($));",
                "process.nextTick(() => process.exit($));",
                "try { process.exit($); } finally { log('never'); }",
            ])
            .replace('$', &code.to_string()),
    )
}
