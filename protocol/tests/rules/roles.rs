//! Who may do what: each command, each role, and strangers.

use std::collections::BTreeMap;

use boardcast_protocol::board::{Action, Actor, Reason, Role, decide};
use boardcast_protocol::position::Timestamp;

use crate::examples::{COMMANDS, command_name, commands, id};
use crate::scenarios::stage;

/// The least role that may do it, written down apart from the table in the code.
const NEEDS: &[(&str, &[&str])] = &[
    ("admin", &["BoardSet", "MemberAdd", "MemberRemove"]),
    (
        "commenter",
        &[
            "CommentCreate",
            "CommentSet",
            "CommentRemove",
            "VersionUndo",
        ],
    ),
];

fn least(command: &str) -> Role {
    for (role, names) in NEEDS {
        if names.contains(&command) {
            return match *role {
                "admin" => Role::Admin,
                _ => Role::Commenter,
            };
        }
    }
    Role::Editor
}

#[test]
fn r10_each_command_is_decided_by_the_role_of_its_author() {
    let roles = [Role::Viewer, Role::Commenter, Role::Editor, Role::Admin];
    let mut tried = BTreeMap::new();
    for command in commands() {
        let name = command_name(&command);
        *tried.entry(name).or_insert(0) += 1;
        for role in roles {
            let board = stage(Some(role));
            let decision = decide(&board, &author(), &command, Timestamp(1));
            let forbidden = matches!(&decision, Err(r) if r.reason == Reason::Forbidden);
            assert_eq!(
                forbidden,
                role < least(name),
                "{name} by {role}: {decision:?}"
            );
            assert_eq!(
                role.may(command.action()),
                role >= least(name),
                "{name} by {role}"
            );
        }
        let board = stage(None);
        let refused = decide(&board, &author(), &command, Timestamp(1)).unwrap_err();
        assert_eq!(refused.reason, Reason::Forbidden, "{name} by a stranger");
        let admin = Actor {
            admin: true,
            ..author()
        };
        let decision = decide(&board, &admin, &command, Timestamp(1));
        let forbidden = matches!(&decision, Err(r) if r.reason == Reason::Forbidden);
        assert!(!forbidden, "{name} by an admin of the server: {decision:?}");
    }
    assert_eq!(tried.len(), COMMANDS.len());
}

fn author() -> Actor {
    Actor::new(id("zoe"), false)
}

#[test]
fn a_viewer_reads_and_does_nothing_else() {
    assert!(Role::Viewer.may(Action::Read));
    for action in [Action::Comment, Action::Edit, Action::Administer] {
        assert!(!Role::Viewer.may(action));
    }
}
