use super::*;

const SMALL: &str = r#"
name = "small"
about = "Nothing much."
clients = 100
boards = 10
cards = 5
connects_per_s = 50
commands_per_s = 20
seconds = 60
settle_seconds = 10
within_seconds = 120
"#;

fn refused(text: &str) -> String {
    format!("{:#}", Scenario::parse(text).unwrap_err())
}

fn with(key: &str, value: &str) -> String {
    let lines = SMALL.lines().map(|line| match line.split_once(" = ") {
        Some((name, _)) if name == key => format!("{key} = {value}"),
        Some(_) | None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_left_out_has_a_default() {
    let scenario = Scenario::parse(SMALL).unwrap();
    assert_eq!(scenario.presence_per_s, 0.0);
    assert_eq!(scenario.connecting_at_once, 128);
    assert_eq!(scenario.replicas, Replicas::Auto);
    assert_eq!((scenario.churn, scenario.slow), (None, None));
    let plan = scenario.plan();
    assert_eq!((plan.commands.total(), plan.presence.total()), (1_200, 0));
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_known_ones() {
    let told = refused(&SMALL.replace("clients", "clint"));
    for part in ["line 4", "unknown field `clint`", "`boards`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = refused(&format!("{SMALL}[slow]\nshares = 0.1"));
    assert!(told.contains("unknown field `shares`"), "{told}");
}

#[test]
fn a_missing_value_is_told_by_name() {
    for key in ["name", "clients", "seconds", "within_seconds"] {
        let lines = SMALL
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} ")));
        let told = refused(&lines.collect::<Vec<_>>().join("\n"));
        assert!(told.contains(&format!("missing field `{key}`")), "{told}");
    }
    let told = refused(&format!("{SMALL}[churn]\nshare = 0.1\nstay_seconds = 1"));
    assert!(told.contains("missing field `away_seconds`"), "{told}");
}

#[test]
fn a_value_out_of_its_bounds_is_told_with_the_bounds() {
    for (key, value, part) in [
        ("clients", "0", "`clients` is 0; it is from 1 to 5000000"),
        ("boards", "101", "`boards` is 101; it is from 1 to 100"),
        ("cards", "4", "it is from 5 to 20000"),
        ("seconds", "inf", "`seconds` is inf"),
        ("commands_per_s", "-1", "it is from 0 to"),
        (
            "within_seconds",
            "69",
            "`within_seconds` is 69; it is from 70",
        ),
        ("connects_per_s", "0", "`connects_per_s` is 0"),
        ("connects_per_s", "\"many\"", "invalid type: string"),
    ] {
        let told = refused(&with(key, value));
        assert!(told.contains(part), "{key} = {value}: {told}");
    }
    for (more, part) in [
        (
            "[[storm]]\nat = 2\nshare = 1\naway_seconds = 1",
            "`storm.at` is 2",
        ),
        (
            "[slow]\nshare = 1\nread_seconds = 1\npause_seconds = 1",
            "some others are needed",
        ),
        (
            "[slow]\nshare = 0.6\nread_seconds = 1\npause_seconds = 1\n\
             [churn]\nshare = 0.6\nstay_seconds = 1\naway_seconds = 1",
            "`churn.share + slow.share` is 1.2",
        ),
    ] {
        let told = refused(&format!("{SMALL}{more}"));
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let told = Scenario::read(Path::new("/nowhere.toml")).unwrap_err();
    assert!(format!("{told:#}").contains("/nowhere.toml"), "{told:#}");
}

#[test]
fn a_smaller_version_keeps_the_rhythm() {
    let text = format!(
        "{SMALL}presence_per_s = 50\n[churn]\nshare = 0.2\nstay_seconds = 6\naway_seconds = 3\n\
         [slow]\nshare = 0.001\nread_seconds = 0.3\npause_seconds = 30\n\
         [[storm]]\nat = 0.5\nshare = 1\naway_seconds = 12"
    );
    let scenario = Scenario::parse(&text).unwrap();
    assert_eq!(scenario.scaled(1.0, None), scenario);

    let small = scenario.scaled(0.1, Some(5.0));
    assert_eq!((small.clients, small.boards, small.cards), (10, 1, 5));
    assert_eq!((small.commands_per_s, small.presence_per_s), (2.0, 5.0));
    assert_eq!((small.seconds, small.within_seconds), (5.0, 65.0));
    let (churn, slow) = (small.churn.unwrap(), small.slow.unwrap());
    assert_eq!((churn.stay_seconds, churn.away_seconds), (0.5, 0.25));
    assert_eq!((slow.read_seconds, slow.pause_seconds), (0.1, 2.5));
    assert_eq!(small.storms[0].away_seconds, 1.0);
    small.check().unwrap();

    // However small, there is one of everything.
    let least = scenario.scaled(0.001, Some(2.0));
    assert_eq!((least.clients, least.boards), (1, 1));
    let plan = least.plan();
    assert_eq!((plan.commands.total(), plan.presence.total()), (1, 1));
    assert_eq!(plan.slow.unwrap().0, 0, "nobody else would work");
}

#[test]
fn slow_clients_stand_before_those_that_come_and_go() {
    let text = format!(
        "{SMALL}[churn]\nshare = 0.2\nstay_seconds = 6\naway_seconds = 3\n\
         [slow]\nshare = 0.1\nread_seconds = 1\npause_seconds = 1"
    );
    let plan = Scenario::parse(&text).unwrap().plan();
    let slow: Vec<_> = (0..100).filter(|i| plan.pauses_of(*i).is_some()).collect();
    let churning: Vec<_> = (0..100).filter(|i| plan.churn_of(*i).is_some()).collect();
    assert_eq!(slow, (70..80).collect::<Vec<_>>());
    assert_eq!(churning, (80..100).collect::<Vec<_>>());
}

#[test]
fn every_scenario_that_is_shipped_is_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let scenario = Scenario::read(&path).unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(scenario.name, stem.replace('-', " "));
        names.push(scenario.name);
    }
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "chatty presence",
            "great hall",
            "hot board",
            "idle crowd",
            "many boards",
            "mixed day",
            "reconnect storm",
            "slow readers",
        ]
    );
}
