//! The yardstick of `make bench`: an actix-web handler that returns fixed bytes, with the headers of an answer.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark's own program")]

use actix_web::{App, HttpResponse, HttpServer, web};

fn main() -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(serve())
}

async fn serve() -> std::io::Result<()> {
    let port: u16 = std::env::var("BARE_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8999);
    let body: &'static str = Box::leak(std::env::var("BARE_BODY").unwrap_or_else(|_| "[]".into()).into_boxed_str());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    HttpServer::new(move || {
        App::new().default_service(web::to(move || async move {
            HttpResponse::Ok()
                .insert_header(("Content-Range", "0-0/*"))
                .insert_header(("Content-Location", "/films?id=eq.1"))
                .insert_header(("Content-Type", "application/json; charset=utf-8"))
                .insert_header(("Vary", "Accept, Prefer, Range"))
                .body(body)
        }))
    })
    .workers(workers)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}
