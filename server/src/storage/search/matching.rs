//! What is looked for in the index: a query as an expression of FTS5. It finds all cards that match,
//! and others; [`Query::matches`] decides.

use boardcast_protocol::board::Priority;
use boardcast_protocol::ids::{LabelId, UserId};
use boardcast_protocol::search::{Due, Is, Phrase, Query, What};

use super::entry::{
    ANY, ARCHIVED, ASSIGNED, BLOCKED, DUE, LABELLED, label_term, priority_term, user_term,
};

/// Labels of which one is looked for by id; where more bear the name, any label is looked for.
const LABELS_MAX: usize = 100;

/// The expression; `labels` are those that the labels of the query mean, where that is known.
pub(super) fn expression(query: &Query, user: UserId, labels: Option<&[LabelId]>) -> String {
    let mut wanted = vec![format!("terms : \"{ANY}\"")];
    let mut shown = true;
    for term in &query.terms {
        if term.negated {
            continue;
        }
        let one_of = |terms: &[String]| format!("terms : ({})", terms.join(" OR "));
        wanted.extend(match &term.what {
            What::Words(phrase) => Some(words(phrase)),
            What::Label(Some(_)) => Some(match labels {
                Some(ids) if !ids.is_empty() && ids.len() <= LABELS_MAX => {
                    let ids: Vec<_> = ids
                        .iter()
                        .map(|id| format!("\"{}\"", label_term(*id)))
                        .collect();
                    one_of(&ids)
                }
                Some(_) | None => term_of(LABELLED),
            }),
            What::AssignedToMe => Some(term_of(&user_term(user))),
            What::Assignee(Some(_)) => Some(term_of(ASSIGNED)),
            What::Due(Due::Within(..)) | What::Is(Is::Overdue) => Some(term_of(DUE)),
            What::Is(Is::Blocked) => Some(term_of(BLOCKED)),
            What::Is(Is::Archived) => {
                shown = false;
                None
            }
            What::Priority(Priority::None) => None,
            What::Priority(priority) => Some(term_of(priority_term(*priority))),
            What::Label(None)
            | What::Assignee(None)
            | What::Due(Due::Never)
            | What::Is(Is::Open)
            | What::Column(_)
            | What::Board(_) => None,
        });
    }
    let wanted = wanted.join(" AND ");
    match shown {
        true => format!("({wanted}) NOT terms : \"{ARCHIVED}\""),
        false => wanted,
    }
}

fn term_of(term: &str) -> String {
    format!("terms : \"{term}\"")
}

/// Tokens hold no quotation mark, so nothing that somebody asks for is read as an expression.
fn words(phrase: &Phrase) -> String {
    let goes_on = if phrase.begins() { " *" } else { "" };
    let tokens = phrase.tokens().join(" ");
    format!("{{title checklists description comments}} : (\"{tokens}\"{goes_on})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str, labels: Option<&[&str]>) -> String {
        let labels: Option<Vec<LabelId>> =
            labels.map(|ids| ids.iter().map(|id| id.parse().unwrap()).collect());
        let query = query.parse().unwrap();
        expression(&query, "ann".parse().unwrap(), labels.as_deref())
    }

    #[test]
    fn nothing_of_a_query_is_read_as_an_expression() {
        for query in [
            "a\") OR terms:(\"card",
            "NEAR(a b)",
            "a AND b OR -c",
            "^a + b*",
            "{title} a",
        ] {
            let Ok(parsed) = query.parse::<Query>() else {
                continue;
            };
            let expression = expression(&parsed, "ann".parse().unwrap(), None);
            let outside: String = expression.split('"').step_by(2).collect();
            let left = outside
                .replace("{title checklists description comments} : ()", "")
                .replace("{title checklists description comments} : ( *)", "")
                .replace("terms : ", "")
                .replace(" AND ", "");
            assert_eq!(left, "() NOT ", "{query}: {expression}");
        }
    }

    #[test]
    fn filters_that_are_in_the_index_narrow_the_search() {
        let shown = "(terms : \"card\") NOT terms : \"archived\"";
        assert_eq!(of("column:x -label:y due:none", None), shown);
        assert_eq!(
            of("is:archived priority:high", None),
            "terms : \"card\" AND terms : \"p-high\""
        );
        let labelled = of("label:bug assignee:me", Some(&["l1", "l2"]));
        assert!(labelled.contains("terms : (\"l-l1\" OR \"l-l2\") AND terms : \"u-ann\""));
        assert!(of("label:bug", None).contains("\"labelled\""));
    }
}
