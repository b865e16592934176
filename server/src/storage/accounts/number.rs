//! Random numbers that name what has a secret. Never a secret themselves.

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                u64::from_str_radix(text, 16).map(Self)
            }
        }
    };
}

number!(
    /// A session: what its owner sees of it, and how sockets name it.
    SessionId
);
number!(
    /// An invitation to a board or a public link to it: how its admins and sockets name it.
    LinkId
);
number!(
    /// A token for programs: what its owner sees of it, and how sockets name it.
    TokenId
);
