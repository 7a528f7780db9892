//! The schema: what a dashboard may consist of. It is stricter than Grafana's, which lets
//! anything pass: a field that is not named here is an error.

use crate::repository;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Dashboard {
    pub(crate) uid: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) schema_version: u32,
    pub(crate) version: u32,
    pub(crate) editable: bool,
    pub(crate) graph_tooltip: u8,
    pub(crate) refresh: String,
    pub(crate) time: BTreeMap<String, String>,
    pub(crate) timepicker: Map<String, Value>,
    pub(crate) timezone: String,
    pub(crate) links: Vec<BoardLink>,
    pub(crate) annotations: List<Annotation>,
    pub(crate) templating: List<Variable>,
    pub(crate) panels: Vec<Panel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List<T> {
    pub(crate) list: Vec<T>,
}

/// The menu of all dashboards.
#[allow(clippy::struct_excessive_bools, reason = "the fields are Grafana's")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BoardLink {
    pub(crate) r#type: String,
    pub(crate) title: String,
    pub(crate) tags: Vec<String>,
    pub(crate) as_dropdown: bool,
    pub(crate) include_vars: bool,
    pub(crate) keep_time: bool,
    pub(crate) target_blank: bool,
    pub(crate) icon: String,
    pub(crate) tooltip: String,
    pub(crate) url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Annotation {
    pub(crate) name: String,
    pub(crate) datasource: DataSource,
    pub(crate) enable: bool,
    pub(crate) expr: String,
    pub(crate) icon_color: String,
    pub(crate) step: String,
    pub(crate) tag_keys: String,
    pub(crate) text_format: String,
    pub(crate) title_format: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) r#type: String,
    pub(crate) datasource: Option<DataSource>,
    pub(crate) definition: Option<String>,
    /// Text, or for a query variable an object with the text.
    pub(crate) query: Value,
    pub(crate) current: Value,
    pub(crate) hide: u8,
    #[serde(default)]
    pub(crate) include_all: bool,
    #[serde(default)]
    pub(crate) multi: bool,
    pub(crate) all_value: Option<String>,
    pub(crate) options: Vec<Value>,
    pub(crate) refresh: Option<u8>,
    pub(crate) regex: Option<String>,
    pub(crate) sort: Option<u8>,
}

#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataSource {
    pub(crate) r#type: String,
    pub(crate) uid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Panel {
    pub(crate) id: u32,
    pub(crate) r#type: String,
    pub(crate) title: String,
    pub(crate) grid_pos: Grid,
    pub(crate) description: Option<String>,
    pub(crate) datasource: Option<DataSource>,
    pub(crate) field_config: Option<FieldConfig>,
    pub(crate) options: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) transformations: Vec<Transformation>,
    #[serde(default)]
    pub(crate) links: Vec<Link>,
    pub(crate) interval: Option<String>,
    /// Of a row.
    pub(crate) collapsed: Option<bool>,
    /// Of a row that is collapsed: ours are not.
    pub(crate) panels: Option<[(); 0]>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grid {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) w: u32,
    pub(crate) h: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldConfig {
    pub(crate) defaults: Field,
    pub(crate) overrides: Vec<Override>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Field {
    pub(crate) unit: String,
    pub(crate) thresholds: Thresholds,
    pub(crate) color: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) custom: Map<String, Value>,
    #[serde(default)]
    pub(crate) mappings: Vec<Value>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) decimals: Option<u8>,
    pub(crate) no_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thresholds {
    pub(crate) mode: String,
    pub(crate) steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) color: String,
    pub(crate) value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    pub(crate) matcher: Matcher,
    pub(crate) properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matcher {
    pub(crate) id: String,
    pub(crate) options: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Property {
    pub(crate) id: String,
    pub(crate) value: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Target {
    pub(crate) datasource: DataSource,
    pub(crate) editor_mode: String,
    pub(crate) expr: String,
    pub(crate) format: String,
    pub(crate) instant: bool,
    pub(crate) range: bool,
    pub(crate) legend_format: String,
    pub(crate) ref_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transformation {
    pub(crate) id: String,
    pub(crate) options: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Link {
    pub(crate) title: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) target_blank: bool,
}

impl Variable {
    /// What a query variable asks; none of another kind.
    pub(crate) fn asks(&self) -> Option<&str> {
        (self.r#type == "query").then(|| self.query["query"].as_str().expect("a query variable has a query"))
    }
}

impl Panel {
    pub(crate) fn is_row(&self) -> bool {
        self.r#type == "row"
    }

    /// Addresses that the panel leads to: its own links, and those in the cells of a table.
    pub(crate) fn urls(&self) -> Vec<String> {
        let own = self.links.iter().map(|link| link.url.clone());
        let fields = self.field_config.iter().flat_map(|config| &config.overrides);
        let cells = fields.flat_map(|field| &field.properties).filter(|property| property.id == "links");
        let cells = cells.flat_map(|property| {
            serde_json::from_value::<Vec<Link>>(property.value.clone()).expect("links of cells")
        });
        own.chain(cells.map(|link| link.url)).collect()
    }
}

/// Every dashboard, with its file's name and its text.
pub(crate) fn all() -> Vec<(String, String, Dashboard)> {
    let mut all: Vec<_> = std::fs::read_dir(repository("dashboards"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let board = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
            (name, text, board)
        })
        .collect();
    all.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    assert!(all.len() >= 7, "there are only {} dashboards", all.len());
    all
}
