//! The inspector's pages. Values from the environment are escaped: they are data, not markup.

use super::Container;

/// The style sheet: enough for a readable page, in place of the original's Bootstrap.
pub const CSS: &str = "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ddd;padding:.4em;text-align:left}\n";

fn page(body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Inspector</title>\n    \
         <link rel=\"stylesheet\" href=\"/css/bootstrap.min.css\">\n  </head>\n  <body>\n    <div class=\"container\">\n      \
         <h1>Inspector</h1>\n{body}    </div>\n  </body>\n</html>\n"
    )
}

/// `/`: the version.
pub fn home(container: &Container) -> String {
    page(&format!(
        "      <p>Version: Inspector {}</p>\n",
        escape(&container.version)
    ))
}

/// `/net`: interfaces with their addresses in CIDR form, and the resolver's configuration.
pub fn net(container: &Container) -> String {
    let ip = container.ip;
    let [a, b, c, d] = ip.octets();
    // The bridge plugin derives a pod's hardware address from its IP address.
    let mac = format!("0a:58:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
    let link_local = format!(
        "fe80::858:{a:02x}ff:fe{b:02x}:{:x}/64",
        (u16::from(c) << 8) | u16::from(d)
    );
    let row = |name: &str, mac: &str, address: &str| {
        format!("          <tr><td>{name}</td><td>{mac}</td><td>{address}</td></tr>\n")
    };
    let rows = [
        row("lo", "", "127.0.0.1/8"),
        row("lo", "", "::1/128"),
        row("eth0", &mac, &format!("{ip}/24")),
        row("eth0", &mac, &link_local),
    ]
    .concat();
    let namespace = escape(&container.namespace);
    page(&format!(
        "      <h2>Network Interfaces</h2>\n      <table class=\"table\">\n        <thead><tr><th>Name</th><th>HardwareAddr</th><th>IP</th></tr></thead>\n        \
         <tbody>\n{rows}        </tbody>\n      </table>\n      <h2>/etc/resolv.conf</h2>\n      <pre>nameserver 100.64.0.10\n\
         search {namespace}.svc.cluster.local svc.cluster.local cluster.local ap-southeast-2.compute.internal\noptions ndots:5\n</pre>\n"
    ))
}

/// `/env`: the environment. Like the original, a value ends at its second `=`-separated part.
pub fn env(container: &Container) -> String {
    let rows: String = container
        .env
        .iter()
        .map(|(name, value)| {
            format!(
                "          <tr><td>{}</td><td>{}</td></tr>\n",
                escape(name),
                escape(value.split('=').next().unwrap_or(""))
            )
        })
        .collect();
    page(&format!(
        "      <h2>Environment Variables</h2>\n      <table class=\"table\">\n        <thead><tr><th>Name</th><th>Value</th></tr></thead>\n        \
         <tbody>\n{rows}        </tbody>\n      </table>\n"
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> Container {
        Container {
            version: "1.0.0".into(),
            ip: [100, 96, 1, 5].into(),
            node_ip: [172, 20, 0, 1].into(),
            namespace: "default".into(),
            env: vec![("A".into(), "x=y=z".into()), ("EVIL".into(), "<script>".into())],
        }
    }

    #[test]
    fn the_loops_of_the_talk_find_what_they_look_for() {
        let version = regex::Regex::new("Version: Inspector [0-9].[0-9].[0-9]")
            .map(|r| r.find(&home(&container())).map(|m| m.as_str().to_owned()));
        assert_eq!(version, Ok(Some("Version: Inspector 1.0.0".to_owned())));
        let address = regex::Regex::new(r"100\.[0-9]+\.[0-9]+\.[0-9]+")
            .map(|r| r.find(&net(&container())).map(|m| m.as_str().to_owned()));
        assert_eq!(
            address,
            Ok(Some("100.96.1.5".to_owned())),
            "the pod's address comes first, the name server's later"
        );
        assert!(net(&container()).contains("100.96.1.5/24") && net(&container()).contains("0a:58:64:60:01:05"));
    }

    #[test]
    fn the_environment_is_escaped_and_cut() {
        let page = env(&container());
        assert!(page.contains("<td>A</td><td>x</td>"));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    }
}
