//! Generates each schema of `protos/awkward` as a module of its own.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = std::path::Path::new("../protos");
    println!("cargo:rerun-if-changed=../protos/awkward");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(protos.join("awkward"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    let mut modules = String::new();
    for name in &names {
        let config = ringwire_build::Config::new().include(protos).out_file(format!("{name}.rs"));
        let config = config.file(format!("awkward/{name}.proto"));
        let config =
            together(name).iter().fold(config, |config, other| config.file(format!("awkward/{other}.proto")));
        config.compile().map_err(|error| error.to_string())?;
        modules.push_str(&module(name));
    }
    // A client has to stand without the server beside it, and the other way round.
    for side in ["client", "server"] {
        let name = format!("rpc_names_{side}");
        let sides = side.parse::<ringwire_build::Sides>()?;
        let config = ringwire_build::Config::new().include(protos).file("awkward/rpc_names.proto");
        let config = config.options(|options| options.services = sides).out_file(format!("{name}.rs"));
        config.compile().map_err(|error| error.to_string())?;
        modules.push_str(&module(&name));
    }
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("corpus.rs"), modules)?;
    Ok(())
}

fn module(name: &str) -> String {
    format!("pub mod {name} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{name}.rs\")); }}\n")
}

/// The schemas that import others of the folder, generated together with those.
fn together(name: &str) -> &'static [&'static str] {
    match name {
        "edition2024" => &["edition2023"],
        "packages_a" => &["packages_b"],
        _ => &[],
    }
}
