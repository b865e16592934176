//! `boardcast user`.

use std::io::Write as _;
use std::path::Path;

use boardcast_protocol::ids::UserId;
use serde_json::json;

use super::Failure;
use super::place::{Place, PlaceArgs, offline};
use super::remote::Remote;
use super::token::{ServerRole, parse_user};
use crate::accounts::{AccountError, AccountRules, Accounts, Email, NewPerson, PersonName};
use crate::clock;
use crate::http::admin::{Added, PasswordLink, PeoplePage, Person};
use crate::storage::{AuditAct, AuditEntry};

/// Where people open the server, unless told otherwise.
const USUAL_URL: &str = "http://127.0.0.1:8080";
/// Accounts that are read at a time.
const PAGE: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make an account and print a link by which the person sets a password; works once, within 3 days
    Add(AddArgs),
    /// List all accounts
    List(ListArgs),
    /// Disable an account: its sessions end, its sockets are closed, its tokens are refused
    Disable(OneArgs),
    /// Enable an account that was disabled
    Enable(OneArgs),
    /// Print a link by which a person sets a new password; works once, within 3 days
    Reset(ResetArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The e-mail address to sign in with
    email: String,
    /// The name that people see
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The user as boards know it: 1 to 22 characters of A-Z a-z 0-9 _ - [default: random]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// What the person may do on the server as a whole
    #[arg(long)]
    role: Option<ServerRole>,
    #[command(flatten)]
    url: UrlArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The user
    user: String,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
struct ResetArgs {
    /// The user
    user: String,
    #[command(flatten)]
    url: UrlArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
struct UrlArgs {
    /// Where people open the server, for the link [default: what the server says, --server, or
    /// http://127.0.0.1:8080]
    #[arg(long, env = "BOARDCAST_PUBLIC_URL", value_name = "URL")]
    url: Option<String>,
}

impl UrlArgs {
    fn link(&self, server: &str, link: &PasswordLink) -> String {
        let named = self.url.as_deref().filter(|url| !url.is_empty());
        match (named, &link.url) {
            (None, Some(url)) => url.clone(),
            (named, _) => {
                let url = named.unwrap_or(server).trim_end_matches('/');
                format!("{url}{}", link.link)
            }
        }
    }
}

pub(super) fn run(args: &UserArgs) -> Result<(), Failure> {
    match &args.what {
        What::Add(args) => add(args),
        What::List(args) => list(args),
        What::Disable(args) => set_disabled(args, true),
        What::Enable(args) => set_disabled(args, false),
        What::Reset(args) => reset(args),
    }
}

fn add(args: &AddArgs) -> Result<(), Failure> {
    let admin = args.role == Some(ServerRole::Admin);
    let user = args.user.as_deref().map(parse_user).transpose()?;
    let name = PersonName::new(&args.name).map_err(Failure::usage)?;
    let email = Email::new(&args.email).map_err(Failure::usage)?;
    let told = |server: &str, added: &Added| {
        let link = args.url.link(server, &added.link);
        print(&format!("{link}\n"))?;
        eprintln!(
            "made {}; hand this link to {}",
            added.person.user, added.person.name
        );
        Ok(())
    };
    match args.place.place()? {
        Place::Server(server) => {
            let person = serde_json::json!({
                "user": user, "name": args.name, "email": args.email, "admin": admin,
            });
            let added = server.add_user(&person).map_err(Failure::failed)?;
            told(server.url(), &added)
        }
        Place::Directory(dir) => accounts(&dir, async |accounts| {
            let person = NewPerson {
                user,
                name,
                email,
                admin,
            };
            let added = accounts.add(person, clock::now()).await;
            let (account, link) = added.map_err(Failure::failed)?;
            accounts.note(AuditEntry {
                about: Some(account.user),
                detail: json!({"admin": account.admin, "bot": false}),
                ..AuditEntry::new(AuditAct::AccountMade, clock::now())
            });
            let added = Added {
                person: account.into(),
                link: link.into(),
            };
            told(USUAL_URL, &added)
        }),
    }
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    match args.place.place()? {
        Place::Server(server) => {
            let mut after = None;
            loop {
                let PeoplePage { users, next } = server.users(after).map_err(Failure::failed)?;
                print_people(&users, args.json)?;
                match next {
                    Some(_) => after = next,
                    None => return Ok(()),
                }
            }
        }
        Place::Directory(dir) => accounts(&dir, async |accounts| {
            let mut after = None;
            loop {
                let page = accounts.list(after, PAGE).await.map_err(Failure::failed)?;
                let Some(last) = page.last() else {
                    return Ok(());
                };
                after = Some(last.user);
                let people: Vec<Person> = page.into_iter().map(Person::from).collect();
                print_people(&people, args.json)?;
            }
        }),
    }
}

fn set_disabled(args: &OneArgs, disabled: bool) -> Result<(), Failure> {
    let user = parse_user(&args.user)?;
    change(
        &args.place,
        |server| server.set_disabled(user, disabled),
        async |accounts| {
            accounts.set_disabled(user, disabled).await?;
            let act = match disabled {
                true => AuditAct::AccountDisabled,
                false => AuditAct::AccountEnabled,
            };
            accounts.note(about(user, act));
            Ok(())
        },
        |_, ()| Ok(()),
    )
}

fn reset(args: &ResetArgs) -> Result<(), Failure> {
    let user: UserId = parse_user(&args.user)?;
    change(
        &args.place,
        |server| server.reset_user(user),
        async |accounts| {
            let link = accounts.reset(user, clock::now()).await?;
            accounts.note(about(user, AuditAct::PasswordLinkMade));
            Ok(PasswordLink::from(link))
        },
        |server, link| print(&format!("{}\n", args.url.link(server, &link))),
    )
}

/// Somebody with a shell on the machine has done it.
fn about(user: UserId, act: AuditAct) -> AuditEntry {
    AuditEntry {
        about: Some(user),
        ..AuditEntry::new(act, clock::now())
    }
}

/// Does the same on a server or in a directory.
fn change<T>(
    place: &PlaceArgs,
    remote: impl FnOnce(&Remote) -> Result<T, String>,
    local: impl AsyncFnOnce(&Accounts) -> Result<T, AccountError>,
    done: impl FnOnce(&str, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    match place.place()? {
        Place::Server(server) => {
            let changed = remote(&server).map_err(Failure::failed)?;
            done(server.url(), changed)
        }
        Place::Directory(dir) => accounts(&dir, async |accounts| {
            done(USUAL_URL, local(accounts).await.map_err(Failure::failed)?)
        }),
    }
}

/// Works on the accounts of a directory, which may be new.
fn accounts(
    dir: &Path,
    work: impl AsyncFnOnce(&Accounts) -> Result<(), Failure>,
) -> Result<(), Failure> {
    offline(dir, async |place| {
        let accounts = Accounts::new(place.storage.clone(), &AccountRules::default());
        work(&accounts).await
    })
}

fn print_people(people: &[Person], json: bool) -> Result<(), Failure> {
    let mut lines = String::new();
    for person in people {
        if json {
            lines.push_str(&serde_json::to_string(person).map_err(Failure::failed)?);
        } else {
            let role = match (person.admin, person.bot) {
                (true, _) => "admin",
                (false, true) => "bot",
                (false, false) => "person",
            };
            let state = match (person.disabled, person.has_password || person.bot) {
                (true, _) => "disabled",
                (false, true) => "enabled",
                (false, false) => "no password",
            };
            let Person {
                user, name, email, ..
            } = person;
            lines.push_str(&format!("{user}\t{email}\t{role}\t{state}\t{name}"));
        }
        lines.push('\n');
    }
    print(&lines)
}

fn print(text: &str) -> Result<(), Failure> {
    let printed = std::io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(|error| Failure::failed(format!("failed to print: {error}")))
}
