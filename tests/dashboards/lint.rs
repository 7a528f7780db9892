//! The lint: what a person would find missing or broken, before he does.

use crate::model::{Dashboard, Panel, all};
use crate::repository;
use crate::variables::used;
use std::collections::{BTreeMap, BTreeSet};

/// What Grafana fills in by itself.
const OF_GRAFANA: &[&str] =
    &["__rate_interval", "__interval", "__range", "__url_time_range", "__all_variables", "__data"];
/// Options of each kind of panel.
const OPTIONS: &[(&str, &[&str])] = &[
    ("stat", &["colorMode", "graphMode", "justifyMode", "orientation", "reduceOptions", "textMode"]),
    (
        "bargauge",
        &[
            "displayMode",
            "minVizHeight",
            "minVizWidth",
            "orientation",
            "reduceOptions",
            "showUnfilled",
            "valueMode",
        ],
    ),
    ("timeseries", &["legend", "tooltip"]),
    (
        "heatmap",
        &["calculate", "cellGap", "color", "filterValues", "legend", "rowsFrame", "tooltip", "yAxis"],
    ),
    ("state-timeline", &["alignValue", "legend", "mergeValues", "rowHeight", "showValue", "tooltip"]),
    ("table", &["cellHeight", "footer", "showHeader", "sortBy"]),
];
/// Properties that an override may set.
const PROPERTIES: &[&str] = &[
    "unit",
    "decimals",
    "thresholds",
    "mappings",
    "links",
    "color",
    "custom.cellOptions",
    "custom.fillOpacity",
    "custom.lineStyle",
    "custom.lineWidth",
];

/// Every panel that is not a row, with words to find it by.
fn panels(boards: &[(String, String, Dashboard)]) -> impl Iterator<Item = (String, &Panel)> {
    boards.iter().flat_map(|(file, _, board)| {
        let panels = board.panels.iter().filter(|panel| !panel.is_row());
        panels.map(move |panel| (format!("{file}, {:?}", panel.title), panel))
    })
}

#[test]
fn every_panel_says_what_it_shows() {
    let boards = all();
    for (place, panel) in panels(&boards) {
        let description = panel.description.as_deref().unwrap_or_default();
        assert!(description.len() > 5 && description.ends_with('.'), "{place}: described by {description:?}");
        let config = panel.field_config.as_ref().unwrap_or_else(|| panic!("{place} has no fields"));
        assert!(!config.defaults.unit.is_empty(), "{place} has no unit");
        let steps = &config.defaults.thresholds.steps;
        assert!(
            steps.first().is_some_and(|step| step.value.is_none()),
            "{place}: the first threshold has a value"
        );
        let values: Vec<f64> =
            steps[1..].iter().map(|step| step.value.expect("a later threshold has one")).collect();
        assert!(values.is_sorted(), "{place}: thresholds {values:?}");
        assert!(!panel.targets.is_empty(), "{place} asks nothing");
        let (_, known) = OPTIONS
            .iter()
            .find(|(kind, _)| *kind == panel.r#type)
            .unwrap_or_else(|| panic!("{place} is a {}", panel.r#type));
        let options: BTreeSet<&str> = panel.options.as_ref().unwrap().keys().map(String::as_str).collect();
        assert_eq!(options, known.iter().copied().collect(), "{place}");
        for property in config.overrides.iter().flat_map(|each| &each.properties) {
            assert!(PROPERTIES.contains(&property.id.as_str()), "{place}: {}", property.id);
        }
    }
}

#[test]
fn a_table_gives_every_query_a_name() {
    let boards = all();
    for (place, panel) in panels(&boards).filter(|(_, panel)| panel.r#type == "table") {
        assert!(panel.targets.iter().all(|target| target.format == "table" && target.instant), "{place}");
        let organize =
            panel.transformations.iter().find(|each| each.id == "organize").expect("they are organized");
        let (names, hidden) = (&organize.options["renameByName"], &organize.options["excludeByName"]);
        for target in &panel.targets {
            let one = panel.targets.len() == 1;
            let field = if one { "Value".to_owned() } else { format!("Value #{}", target.ref_id) };
            assert!(names[&field].is_string() || hidden[&field] == true, "{place}: {field} has no name");
        }
        for each in &panel.field_config.as_ref().unwrap().overrides {
            let renamed =
                names.as_object().unwrap().values().any(|name| name == each.matcher.options.as_str());
            assert!(renamed, "{place}: no column {:?}", each.matcher.options);
        }
    }
}

#[test]
fn the_data_source_is_the_reader_s() {
    for (file, text, board) in all() {
        let asked = text.matches("\"uid\": ").count();
        assert_eq!(
            asked,
            text.matches("\"uid\": \"${datasource}\"").count() + 1,
            "{file} names a data source"
        );
        let panels = board.panels.iter().filter(|panel| !panel.is_row());
        let sources = panels.flat_map(|panel| {
            panel.datasource.iter().chain(panel.targets.iter().map(|target| &target.datasource))
        });
        let sources = sources
            .chain(board.annotations.list.iter().map(|annotation| &annotation.datasource))
            .chain(board.templating.list.iter().filter_map(|variable| variable.datasource.as_ref()));
        for source in sources {
            assert_eq!(
                (source.r#type.as_str(), source.uid.as_str()),
                ("prometheus", "${datasource}"),
                "{file}"
            );
        }
        let first = &board.templating.list[0];
        assert_eq!((first.name.as_str(), first.r#type.as_str()), ("datasource", "datasource"), "{file}");
    }
}

#[test]
fn every_variable_is_declared_and_used() {
    for (file, text, board) in all() {
        let declared: Vec<&str> =
            board.templating.list.iter().map(|variable| variable.name.as_str()).collect();
        let used: BTreeSet<String> = used(&text).into_iter().collect();
        for name in &declared {
            assert!(used.contains(*name), "{file}: ${name} is declared and not used");
        }
        for name in used.iter().filter(|name| !OF_GRAFANA.contains(&name.as_str())) {
            assert!(declared.contains(&name.as_str()), "{file}: ${name} is used and not declared");
        }
        for (index, variable) in board.templating.list.iter().enumerate() {
            assert!(
                !variable.label.is_empty() && !variable.description.is_empty(),
                "{file}: {}",
                variable.name
            );
            let Some(asks) = variable.asks() else { continue };
            assert_eq!(variable.definition.as_deref(), Some(asks), "{file}: {}", variable.name);
            assert!(variable.include_all && variable.refresh == Some(2), "{file}: {}", variable.name);
            // Grafana fills them in one after the other.
            for name in crate::variables::used(asks) {
                assert!(
                    declared[..index].contains(&name.as_str()),
                    "{file}: {} asks for ${name} before it is",
                    variable.name
                );
            }
        }
        // The format `regex` escapes slashes, which no string of PromQL takes.
        assert!(!text.contains(":regex}"), "{file}");
    }
}

#[test]
fn nothing_lies_on_top_of_another() {
    for (file, _, board) in all() {
        let ids: BTreeSet<u32> = board.panels.iter().map(|panel| panel.id).collect();
        assert_eq!(ids.len(), board.panels.len(), "{file}: two panels with one id");
        let mut taken = BTreeMap::new();
        for panel in &board.panels {
            let grid = panel.grid_pos;
            assert!(grid.w > 0 && grid.h > 0 && grid.x + grid.w <= 24, "{file}, {:?}", panel.title);
            for place in
                (grid.x..grid.x + grid.w).flat_map(|x| (grid.y..grid.y + grid.h).map(move |y| (x, y)))
            {
                if let Some(other) = taken.insert(place, &panel.title) {
                    panic!("{file}: {:?} lies on {other:?}", panel.title);
                }
            }
        }
    }
}

#[test]
fn they_are_told_apart_and_import_as_they_are() {
    let boards = all();
    for (file, text, board) in &boards {
        // The address of a dashboard: Grafana takes 40 characters.
        assert_eq!(*file, format!("{}.json", board.uid));
        assert!(board.uid.len() <= 40 && board.schema_version == 38, "{file}");
        assert!(board.tags.iter().any(|tag| tag == "leasewatch"), "{file}");
        assert!(board.time["from"].starts_with("now-") && board.time["to"] == "now", "{file}");
        assert!(["30s", "1m"].contains(&board.refresh.as_str()), "{file}");
        assert!(!text.contains("__inputs") && text.ends_with("}\n"), "{file}");
        let menu = &board.links[0];
        assert!(menu.tags == ["leasewatch"] && menu.include_vars && menu.keep_time, "{file}");
    }
    let titles: BTreeSet<&str> = boards.iter().map(|(.., board)| board.title.as_str()).collect();
    assert_eq!(titles.len(), boards.len());
}

#[test]
fn every_link_leads_somewhere() {
    let boards = all();
    let uids: BTreeSet<&str> = boards.iter().map(|(.., board)| board.uid.as_str()).collect();
    let (mut elsewhere, mut runbooks, mut missing) = (0, 0, BTreeSet::new());
    for (place, panel) in panels(&boards) {
        for url in panel.urls() {
            if let Some(rest) = url.strip_prefix("/d/") {
                let uid = rest.split('?').next().unwrap();
                assert!(uids.contains(uid), "{place}: there is no dashboard {uid}");
                elsewhere += 1;
            } else if let Some(file) = url.strip_prefix("${runbooks}/") {
                // The name of an alert that fires is known only then.
                if !file.contains("${__data") && !repository("docs/runbooks").join(file).is_file() {
                    missing.insert(file.to_owned());
                }
                runbooks += 1;
            } else {
                panic!("{place} leads to {url}");
            }
        }
    }
    assert!(elsewhere > 20 && runbooks > 20, "{elsewhere} links to dashboards, {runbooks} to runbooks");
    assert!(
        missing.is_empty(),
        "not in docs/runbooks (scripts/dashboards/where.py has the names): {missing:#?}"
    );
}
