use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DAY: i64 = 1_780_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(DAY + seconds).unwrap()
}

fn id() -> ProbeId {
    ProbeId::new("sshd").unwrap()
}

fn observation(index: u64, seconds: i64, facts: &str) -> Observation {
    let documents = (!facts.is_empty()).then(|| (id(), Digest::of(facts.as_bytes())));
    Observation {
        index,
        observed_at: at(seconds),
        held_until: None,
        lost: false,
        manifest: Arc::new(Manifest::new(documents)),
    }
}

/// `(from, to, what)`, with `-` for silence and `?` for a manifest without the document.
fn told(timeline: &Timeline, from: i64, to: i64) -> Vec<(i64, i64, String)> {
    let names: Vec<_> = ["a", "b", "c"].map(|name| (Digest::of(name.as_bytes()), name)).into();
    timeline
        .over(&id(), at(from), at(to))
        .into_iter()
        .map(|interval| {
            let what = match interval.told {
                State::Silent => "-".to_owned(),
                State::NotInManifest { .. } => "?".to_owned(),
                State::Held {
                    digest,
                    first_index,
                    last_index,
                } => {
                    let name = names.iter().find(|(known, _)| *known == digest).unwrap().1;
                    format!("{name}{first_index}..{last_index}")
                }
            };
            (interval.from.unix() - DAY, interval.to.unix() - DAY, what)
        })
        .collect()
}

fn expect(found: &[(i64, i64, String)], expected: &[(i64, i64, &str)]) {
    let found: Vec<_> = found
        .iter()
        .map(|(from, to, what)| (*from, *to, what.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn unchanged_statements_are_one_interval_and_silence_is_a_gap() {
    let timeline = Timeline::of(
        100,
        [
            observation(3, 10, "a"),
            observation(5, 60, "a"),
            observation(6, 70, "b"),
            observation(9, 300, "b"),
            observation(12, 310, ""),
        ],
    )
    .unwrap();
    expect(
        &told(&timeline, 0, 500),
        &[
            (0, 10, "-"),
            (10, 70, "a3..5"),
            (70, 170, "b6..6"),
            (170, 300, "-"),
            (300, 310, "b9..9"),
            (310, 410, "?"),
            (410, 500, "-"),
        ],
    );
    expect(&told(&timeline, 65, 66), &[(65, 66, "a5..5")]);
    assert_eq!(timeline.as_of(at(69)).unwrap().index, 5);
    assert!(timeline.as_of(at(170)).is_none());
    assert!(timeline.as_of(at(9)).is_none());
    assert_eq!(timeline.gaps(at(0), at(400)).len(), 2);
}

#[test]
fn a_statement_says_how_long_the_one_before_held() {
    let later = Observation {
        held_until: Some(at(250)),
        ..observation(2, 300, "b")
    };
    let timeline = Timeline::of(100, [observation(1, 0, "a"), later]).unwrap();
    expect(
        &told(&timeline, 0, 310),
        &[(0, 250, "a1..1"), (250, 300, "-"), (300, 310, "b2..2")],
    );
}

#[test]
fn what_was_lost_is_not_known() {
    let later = Observation {
        lost: true,
        held_until: Some(at(55)),
        ..observation(2, 60, "a")
    };
    let timeline = Timeline::of(100, [observation(1, 0, "a"), later]).unwrap();
    expect(
        &told(&timeline, 0, 70),
        &[(0, 1, "a1..1"), (1, 60, "-"), (60, 70, "a2..2")],
    );
}

#[test]
fn a_clock_that_goes_back_changes_nothing_that_was_told() {
    let timeline = Timeline::of(
        100,
        [
            observation(1, 0, "a"),
            observation(2, 50, "b"),
            observation(3, -100_000, "c"),
            observation(4, 90, "a"),
        ],
    )
    .unwrap();
    expect(
        &told(&timeline, 0, 100),
        &[(0, 50, "a1..1"), (50, 90, "c3..3"), (90, 100, "a4..4")],
    );
}

#[test]
fn log_order_is_required() {
    let mut timeline = Timeline::of(100, [observation(7, 0, "a")]).unwrap();
    assert_eq!(
        timeline.append(observation(7, 1, "a")),
        Err(OutOfOrder { index: 7, last: 7 })
    );
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let one = (
        1..3_u64,
        -30..80_i64,
        0..4_usize,
        prop::option::of(0..60_i64),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(one, 0..40).prop_map(|steps| {
        let (mut index, mut seconds) = (0, 500);
        steps
            .into_iter()
            .map(|(skip, step, facts, held, lost)| {
                index += skip;
                seconds += step;
                Observation {
                    held_until: held.map(|held| at(seconds - held)),
                    lost,
                    ..observation(index, seconds, ["", "a", "b", "c"][facts])
                }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn intervals_have_no_holes_and_no_equal_neighbours(observations in observations(), from in 0..3000_i64, length in 0..2000_i64) {
        let timeline = Timeline::of(40, observations).unwrap();
        let intervals = timeline.over(&id(), at(from), at(from + length));
        let mut cursor = at(from);
        for pair in intervals.windows(2) {
            let mut left = pair[0].told.clone();
            prop_assert!(!left.absorb(&pair[1].told));
        }
        for interval in intervals {
            prop_assert_eq!(interval.from, cursor);
            prop_assert!(interval.to > interval.from);
            cursor = interval.to;
        }
        prop_assert_eq!(cursor, at(from + length));
    }

    #[test]
    fn each_instant_is_told_as_its_definition_says(observations in observations(), t in 0..3000_i64) {
        let timeline = Timeline::of(40, observations.clone()).unwrap();
        // The definition, without the data structure: effective beginnings, then the last that has begun.
        let mut begins: Vec<i64> = Vec::new();
        for observation in &observations {
            let own = observation.observed_at.unix() - DAY;
            begins.push(begins.last().map_or(own, |last| own.max(*last)));
        }
        let speaker = begins.iter().rposition(|begin| *begin <= t).filter(|speaker| {
            let begin = begins[*speaker];
            let until = match observations.get(speaker + 1) {
                None => begin + 40,
                Some(next) if next.lost => begin + 1,
                Some(next) => next.held_until.map_or(begin + 40, |held| (held.unix() - DAY).max(begin + 40)),
            };
            t < until
        });
        prop_assert_eq!(timeline.as_of(at(t)).map(|told| told.index), speaker.map(|speaker| observations[speaker].index));
        let expected = match speaker.map(|speaker| &observations[speaker]) {
            None => "-",
            Some(observation) if observation.manifest.documents().is_empty() => "?",
            Some(_) => "held",
        };
        let found = &timeline.over(&id(), at(t), at(t + 1))[0].told;
        let found = match found { State::Silent => "-", State::NotInManifest { .. } => "?", State::Held { .. } => "held" };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn one_at_a_time_and_resumed_are_the_same_as_all_at_once(observations in observations(), cut in 0..40_usize) {
        let all = Timeline::of(40, observations.clone()).unwrap();
        let cut = cut.min(observations.len());
        let mut first = Timeline::of(40, observations[..cut].to_vec()).unwrap();
        let mut kept: Vec<Told> = first.told().to_vec();
        if let Some(last) = kept.pop() {
            first = Timeline::resume(40, last);
        }
        for observation in &observations[cut..] {
            first.append(observation.clone()).unwrap();
        }
        kept.extend(first.told().to_vec());
        prop_assert_eq!(kept, all.told().to_vec());
    }

    #[test]
    fn the_statements_that_are_needed_suffice(observations in observations(), from in 0..3000_i64, length in 1..500_i64) {
        let all = Timeline::of(40, observations.clone()).unwrap();
        let needed: Vec<u64> = all.needed(at(from), at(from + length)).iter().map(|told| told.index).collect();
        let some = observations.into_iter().filter(|observation| needed.contains(&observation.index));
        let some = Timeline::of(40, some).unwrap();
        prop_assert_eq!(all.over(&id(), at(from), at(from + length)), some.over(&id(), at(from), at(from + length)));
    }

    #[test]
    fn a_timeline_of_a_period_answers_as_a_whole_one_does(observations in observations(), from in 0..3000_i64, length in 0..2000_i64) {
        let (from, to) = (at(from), at(from + length));
        let whole = Timeline::of(40, observations.clone()).unwrap();
        let (mut part, mut manifests) = (Timeline::within(40, from, to), BTreeMap::new());
        for mut observation in observations {
            let bytes = observation.manifest.to_bytes();
            observation.manifest = Arc::clone(manifests.entry(bytes).or_insert(observation.manifest));
            part.append(observation).unwrap();
        }
        prop_assert_eq!(part.over(&id(), from, to), whole.over(&id(), from, to));
        prop_assert_eq!(part.gaps(from, to), whole.gaps(from, to));
        let held = |timeline: &Timeline| {
            let mut told = timeline.over(&id(), to.plus(-1), to).into_iter().map(|interval| interval.told);
            told.next().map(|told| match told {
                State::Held { digest, .. } => digest.to_string(),
                told => format!("{:?}", std::mem::discriminant(&told)),
            })
        };
        prop_assert_eq!(held(&part), held(&whole));
        let last = |timeline: &Timeline| {
            let before = timeline.told().iter().rfind(|told| told.from < to);
            before.map(|told| (told.index, told.from, told.until))
        };
        prop_assert_eq!(last(&part), last(&whole));
    }
}

#[test]
fn a_timeline_of_a_period_grows_with_changes_only() {
    let [one, other] = ["a", "b"].map(|facts| observation(0, 0, facts).manifest);
    let mut timeline = Timeline::within(100, at(0), at(100_000));
    for index in 0..1000 {
        let manifest = if (400..700).contains(&index) { &other } else { &one };
        let told = Observation {
            manifest: Arc::clone(manifest),
            ..observation(index, i64::try_from(index).unwrap() * 60, "a")
        };
        timeline.append(told).unwrap();
    }
    assert!(timeline.told().len() <= 8, "{}", timeline.told().len());
    expect(
        &told(&timeline, 0, 60_000),
        &[
            (0, 24_000, "a0..399"),
            (24_000, 42_000, "b400..699"),
            (42_000, 60_000, "a700..999"),
        ],
    );
}
