//! Proxies of Debian in front of a server, with their default configuration except the addresses.

use harness::{World, program};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running proxy; it ends when this value is dropped.
pub(crate) struct Proxy {
    child: Child,
    /// The addresses on which it listens.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// nginx: at the first address with its default settings; at the second one without a limit on bodies, which it
/// forwards as they arrive, over kept connections, and with compressed responses.
pub(crate) fn nginx(world: &World) -> Proxy {
    let (folder, server) = (folder(world, "nginx"), world.serve().address());
    let [defaults, streaming] = [(); 2].map(|()| free_address());
    let shown = folder.display();
    let config = format!(
        "daemon off;\npid {shown}/nginx.pid;\nerror_log {shown}/nginx.log;\nworker_processes 2;\nevents {{ }}\n\
         http {{\n  access_log off;\n\
         client_body_temp_path {shown}/body;\n  proxy_temp_path {shown}/proxy;\n  fastcgi_temp_path {shown}/fastcgi;\n\
         uwsgi_temp_path {shown}/uwsgi;\n  scgi_temp_path {shown}/scgi;\n\
         upstream kept {{ server {server}; keepalive 8; }}\n\
         server {{ listen {defaults}; location / {{ proxy_pass http://{server}; }} }}\n\
         server {{ listen {streaming}; client_max_body_size 0; location / {{ proxy_pass http://kept;\n\
         proxy_request_buffering off; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
         gzip on; gzip_proxied any; gzip_min_length 0; gzip_types application/json; }} }}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let (file, log) = (file.display().to_string(), folder.join("nginx.log").display().to_string());
    Proxy::start("nginx", &["-e", &log, "-c", &file], vec![defaults, streaming])
}

/// `HAProxy` with its default settings, and the time limits without which it warns.
pub(crate) fn haproxy(world: &World) -> Proxy {
    let (folder, server) = (folder(world, "haproxy"), world.serve().address());
    let address = free_address();
    let config = format!(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
         frontend clients\n  bind {address}\n  default_backend servers\n\
         backend servers\n  server pbm {server}\n"
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, config).unwrap();
    Proxy::start("haproxy", &["-q", "-f", &file.display().to_string()], vec![address])
}

impl Proxy {
    fn start(name: &str, arguments: &[&str], addresses: Vec<SocketAddr>) -> Self {
        let child = Command::new(program("setpriv"))
            .args(["--pdeathsig", "TERM", "--"])
            .arg(program(name))
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let listens = || addresses.iter().all(|address| TcpStream::connect(address).is_ok());
        assert!(harness::within(Duration::from_secs(10), listens), "{name} does not listen");
        Self { child, addresses }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        harness::signal(self.child.id(), harness::Signal::TERM);
        let _ended = self.child.wait();
    }
}

/// A folder for a proxy, deleted with the installation.
fn folder(world: &World, name: &str) -> PathBuf {
    let folder = world.installation().file(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
