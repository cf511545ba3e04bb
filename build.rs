//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // At a fixed address: the dynamic linker would otherwise write 95,000 addresses into tables (most of them the AWS
    // clients') before the first instruction runs, which takes a sixth of the time to the first frame.
    // What that gives up: the program's own code is not at a random place; heap, stack and libraries are.
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
