//! A proxy that tunnels to one HTTPS server, both in threads of the test: what a machine behind a company's proxy sees.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// How long a client may say nothing.
const SILENCE: Duration = Duration::from_secs(20);

/// Both of them.
pub struct Tunnel {
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// The file of the authority that signed the server's certificate.
    pub authority: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    /// Every line of every head that came, to the proxy and through it; names of headers in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A server of this name that answers everything with `body`, behind a proxy.
pub fn serve(name: &str, body: Vec<u8>, folder: &Path) -> Tunnel {
    let body: Arc<[u8]> = body.into();
    let (config, authority) = tls(name);
    let file = folder.join("authority.pem");
    std::fs::write(&file, authority).expect("a file for the authority");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the proxy");
    let proxy = listener.local_addr().expect("its address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, body, lines) = (config.clone(), body.clone(), lines.clone());
            std::thread::spawn(move || {
                // A client that breaks off or stays silent is what some tests are about.
                let _ = tunnel(stream, config, &body, &lines);
            });
        }
    });
    Tunnel {
        proxy,
        authority: file.display().to_string(),
        seen,
    }
}

fn tunnel(
    mut stream: TcpStream,
    config: Arc<rustls::ServerConfig>,
    body: &[u8],
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    head(&mut stream, seen)?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, stream);
    head(&mut stream, seen)?;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)?;
    stream.flush()
}

fn head(stream: &mut impl Read, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let text = String::from_utf8_lossy(&head);
    let lines = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
            None => line.to_owned(),
        });
    seen.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    Ok(())
}

fn tls(name: &str) -> (Arc<rustls::ServerConfig>, String) {
    let mut authority = CertificateParams::new(Vec::<String>::new()).expect("an authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an issuer");
    let server = CertificateParams::new(vec![name.to_owned()]).expect("a server");
    let key = KeyPair::generate().expect("a key");
    let certificate = server.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a configuration");
    (Arc::new(config), issuer.pem())
}

/// A proxy that leads to one address, whichever host it is asked for.
pub struct Forward {
    /// Where it listens.
    pub proxy: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Forward {
    /// Every line of every head that came to the proxy; names of headers in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A proxy whose tunnels all end at `to`, asked for by `CONNECT` or as SOCKS 5 (RFC 1928). One that asks who comes lets
/// in `authorization` only.
pub fn forward(to: SocketAddr, authorization: Option<&'static str>) -> Forward {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the proxy");
    let proxy = listener.local_addr().expect("its address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let lines = lines.clone();
            // Each connection ends by itself when one of both sides does.
            std::thread::spawn(move || splice(stream, to, authorization, &lines));
        }
    });
    Forward { proxy, seen }
}

fn splice(
    mut client: TcpStream,
    to: SocketAddr,
    authorization: Option<&str>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    if first_byte(&client)? == 5 {
        let asked = socks(&mut client)?;
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        return both_ways(client, TcpStream::connect(to)?);
    }
    let own = Mutex::default();
    head(&mut client, &own)?;
    let own = own.into_inner().unwrap_or_else(PoisonError::into_inner);
    let known = authorization.is_none_or(|wanted| own.contains(&format!("proxy-authorization: {wanted}")));
    seen.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
    if !known {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    let server = TcpStream::connect(to)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    both_ways(client, server)
}

fn first_byte(stream: &TcpStream) -> std::io::Result<u8> {
    let mut byte = [0];
    stream.peek(&mut byte)?;
    Ok(byte[0])
}

/// The handshake of SOCKS 5 without a password; `SOCKS5 NAME:PORT` of what was asked for.
fn socks(client: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = |count: usize| {
        let mut read = vec![0; count];
        client.read_exact(&mut read).map(|()| read)
    };
    let methods = usize::from(bytes(2)?[1]);
    bytes(methods)?;
    client.write_all(&[5, 0])?;
    let mut bytes = |count: usize| {
        let mut read = vec![0; count];
        client.read_exact(&mut read).map(|()| read)
    };
    let request = bytes(5)?;
    assert_eq!(request[..4], [5, 1, 0, 3], "a connection to a name");
    let name = bytes(usize::from(request[4]))?;
    let port = bytes(2)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    Ok(format!("SOCKS5 {}:{port}", String::from_utf8_lossy(&name)))
}

fn both_ways(client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    let (mut from, mut into) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut into);
        into.shutdown(std::net::Shutdown::Both)
    });
    let (mut from, mut into) = (server, client);
    let _ = std::io::copy(&mut from, &mut into);
    into.shutdown(std::net::Shutdown::Both)
}
