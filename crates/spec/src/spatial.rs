//! The systems of coordinates that GEOMETRY and GEOGRAPHY know: their numbers (SRID) and names (CRS).

use crate::types::DataType;

/// A spatial reference system.
struct System {
    srid: i32,
    crs: &'static str,
    /// Whether it is of longitude and latitude, as GEOGRAPHY wants it.
    is_geographic: bool,
}

/// Those of Spark 4.2.
const SYSTEMS: [System; 3] = [
    System { srid: 0, crs: "SRID:0", is_geographic: false },
    System { srid: 3857, crs: "EPSG:3857", is_geographic: false },
    System { srid: 4326, crs: "OGC:CRS84", is_geographic: true },
];
/// The name that stands for a system of each value's own.
const ANY_CRS: &str = "SRID:ANY";
/// How edges run between the points of a GEOGRAPHY.
const ALGORITHM: &str = "SPHERICAL";

/// The SRID of a GEOGRAPHY that does not say one.
pub const GEOGRAPHY_SRID: i32 = 4326;
/// The SRID of a GEOMETRY that does not say one.
pub const GEOMETRY_SRID: i32 = 0;

/// Whether a GEOMETRY may have this SRID.
pub fn is_geometry_srid(srid: i32) -> bool {
    SYSTEMS.iter().any(|system| system.srid == srid)
}

/// Whether a GEOGRAPHY may have this SRID.
pub fn is_geography_srid(srid: i32) -> bool {
    SYSTEMS.iter().any(|system| system.srid == srid && system.is_geographic)
}

/// What stands between the parentheses of the type: `4326`, `ANY`.
pub(crate) fn argument(srid: Option<i32>) -> String {
    srid.map_or_else(|| "ANY".to_owned(), |srid| srid.to_string())
}

/// `geometry(EPSG:3857)`, as Spark's JSON has it.
pub(crate) fn geometry_json(srid: Option<i32>) -> String {
    format!("geometry({})", crs(srid))
}

/// `geography(OGC:CRS84, SPHERICAL)`, as Spark's JSON has it.
pub(crate) fn geography_json(srid: Option<i32>) -> String {
    format!("geography({}, {ALGORITHM})", crs(srid))
}

/// The type that Spark's JSON means by a name alone.
pub(crate) fn without_crs(name: &str) -> DataType {
    let srid = SYSTEMS.iter().find(|system| system.is_geographic).map(|system| system.srid);
    if name == "geometry" { DataType::Geometry(srid) } else { DataType::Geography(srid) }
}

/// The SRID of a type that Spark's JSON names, given what stands in its parentheses, in lower case.
pub(crate) fn from_json(arguments: &str, is_geography: bool) -> Option<Option<i32>> {
    let mut parts = arguments.split(',').map(str::trim);
    let crs = parts.next()?;
    let has_algorithm = parts.next().is_none_or(|name| is_geography && name.eq_ignore_ascii_case(ALGORITHM));
    if !has_algorithm || parts.next().is_some() {
        return None;
    }
    if crs.eq_ignore_ascii_case(ANY_CRS) {
        return Some(None);
    }
    let fits = |system: &&System| system.crs.eq_ignore_ascii_case(crs) && (system.is_geographic || !is_geography);
    SYSTEMS.iter().find(fits).map(|system| Some(system.srid))
}

fn crs(srid: Option<i32>) -> &'static str {
    SYSTEMS.iter().find(|system| Some(system.srid) == srid).map_or(ANY_CRS, |system| system.crs)
}
