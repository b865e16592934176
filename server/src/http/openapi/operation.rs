//! One operation: a method on a path, what it takes and what it answers.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, Schema};

use super::names::{self, Place};

/// A method on a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Its name for programs, unique.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// Parameters of the query (`?name`) and headers (`Name`).
    pub(super) takes: &'static [&'static str],
    pub(super) body: Body,
    /// The status of success and what comes with it.
    pub(super) answer: (u16, Body),
    /// Further statuses; those of [`COMMON`] are understood.
    pub(super) errors: &'static [u16],
}

/// What a request or an answer holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    Nothing,
    /// JSON of a schema of this name.
    Json(&'static str),
    /// Anything of a media type.
    Any(&'static str),
}

/// What any request may be answered.
const COMMON: [u16; 4] = [400, 401, 429, 503];

/// Parameters of the query that must be there.
const REQUIRED: [&str; 3] = ["?name", "?format", "?q-of-search"];

impl Operation {
    /// Its path and itself, with parameters, body and answers.
    pub(super) fn describe(&self) -> (&'static str, PathItem) {
        let tag = self.path.split('/').nth(3).unwrap_or("server");
        let is_open = matches!(self.id, "sign-in" | "first-start" | "set-password");
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .tag(tag)
            .summary(Some(self.summary));
        if !is_open {
            let scopes: [&str; 0] = [];
            operation = operation.security(SecurityRequirement::new("bearer", scopes));
        }
        for name in self.in_path().chain(self.takes.iter().copied()) {
            let told = names::parameter(name);
            let (place, required) = match told.place {
                Place::Path => (ParameterIn::Path, Required::True),
                Place::Query if REQUIRED.contains(&name) => (ParameterIn::Query, Required::True),
                Place::Query => (ParameterIn::Query, Required::False),
                Place::Header => (ParameterIn::Header, Required::False),
            };
            let shown = name.split("-of-").next().unwrap_or(name);
            let parameter = ParameterBuilder::new()
                .name(shown.trim_start_matches('?'))
                .parameter_in(place)
                .required(required)
                .description(Some(told.text))
                .schema(schema(&told.schema))
                .example(Some(told.example));
            operation = operation.parameter(parameter);
        }
        operation = operation.request_body(self.body.content().map(|(media_type, content)| {
            let required = Some(Required::True);
            let body = RequestBodyBuilder::new().required(required);
            body.content(media_type, content).build()
        }));
        let (status, answer) = self.answer;
        let mut response = ResponseBuilder::new().description(names::status(status));
        if let Some((media_type, content)) = answer.content() {
            response = response.content(media_type, content);
        }
        operation = operation.response(status.to_string(), response);
        for status in COMMON.iter().chain(self.errors) {
            let mut response = ResponseBuilder::new().description(names::status(*status));
            if *status == 206 {
                response = match answer.content() {
                    Some((media_type, part)) => response.content(media_type, part),
                    None => response,
                };
            } else if *status != 304 {
                let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
                response = response.content("application/problem+json", problem.build());
            }
            operation = operation.response(status.to_string(), response);
        }
        (self.path, PathItem::new(self.http_method(), operation))
    }

    /// The names of the ids in its path.
    fn in_path(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// What can be asked about the thing that it makes: whatever takes the id of that and otherwise
    /// those of the path. Links as the answer of success bears them, by name.
    pub(super) fn links<'a>(&self, all: impl Iterator<Item = &'a Self>) -> Map<String, Value> {
        if (self.method, self.answer.0) != ("POST", 201) {
            return Map::new();
        }
        let all: Vec<&Self> = all.collect();
        let below = format!("{}/", self.path);
        let of_thing = |other: &&Self| {
            let rest = other.path.strip_prefix(&below)?;
            rest.strip_prefix('{')?.strip_suffix('}')
        };
        let Some(own) = all.iter().find_map(of_thing) else {
            return Map::new();
        };
        let answered = match (own, self.answer.1) {
            ("board", _) => "$response.body#/board",
            ("user", Body::Json("Anything")) => "$response.body#/user",
            _ => "$response.body#/id",
        };
        // Other things have these names for their ids as well.
        let is_shared = matches!(own, "id" | "user");
        let takes_it = |other: &&Self| {
            let mut names = other.in_path();
            other.in_path().any(|name| name == own)
                && names.all(|name| name == own || self.in_path().any(|known| known == name))
                && (!is_shared || other.path.starts_with(&below))
        };
        let link = |other: &Self| {
            let parameters = other.in_path().map(|name| match name == own {
                true => (name.to_owned(), json!(answered)),
                false => (name.to_owned(), json!(format!("$request.path.{name}"))),
            });
            let parameters: Map<_, _> = parameters.collect();
            let link = json!({"operationId": other.id, "parameters": parameters});
            (other.id.to_owned(), link)
        };
        let linked = all.into_iter().filter(takes_it);
        let mut links: Map<_, _> = linked.map(link).collect();
        if own == "column" {
            let card = json!({"column": answered, "title": "Write the page"});
            let parameters = json!({"board": "$request.path.board"});
            let link = json!({
                "operationId": "create-card", "parameters": parameters, "requestBody": card
            });
            links.insert("create-card".to_owned(), link);
        }
        links
    }

    fn http_method(&self) -> HttpMethod {
        match self.method {
            "POST" => HttpMethod::Post,
            "PUT" => HttpMethod::Put,
            "PATCH" => HttpMethod::Patch,
            "DELETE" => HttpMethod::Delete,
            _ => HttpMethod::Get,
        }
    }
}

impl Body {
    /// The name of its schema.
    pub(super) fn schema(self) -> Option<&'static str> {
        match self {
            Self::Json(name) => Some(name),
            Self::Nothing | Self::Any(_) => None,
        }
    }

    fn content(self) -> Option<(&'static str, utoipa::openapi::Content)> {
        let content = ContentBuilder::new();
        Some(match self {
            Self::Nothing => return None,
            Self::Json(name) => {
                let content = content.schema(Some(Ref::from_schema_name(name)));
                ("application/json", content.build())
            }
            Self::Any(media_type) => (media_type, content.build()),
        })
    }
}

fn schema(json: &Value) -> Option<RefOr<Schema>> {
    serde_json::from_value(json.clone()).ok()
}
