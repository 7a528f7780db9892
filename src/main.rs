//! The leasewatch program: parse, start logging, call one command, turn its end into an exit code.

use clap::Parser;
use leasewatch::cli::{Cli, Command, SettingArgs};
use leasewatch::command;
use leasewatch::config::{Config, ConfigError};
use leasewatch::web::WebConfigError;
use std::io::{self, Write};
use std::process::ExitCode;

/// Events are made by threads that read ahead and given up by the one that applies them, which the
/// system's allocators pay for with locks. Without huge pages: with them `serve` takes twice the memory, and
/// `analyze` is no faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Answers --help and --version itself, and ends with 2 on bad usage.
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be gone too; there is nobody left to tell.
            let _ = writeln!(io::stderr(), "leasewatch: {error:#}");
            let is_setting = error.is::<ConfigError>() || error.is::<WebConfigError>();
            ExitCode::from(if is_setting { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(args) => {
            args.output().start();
            command::demo::run(&args)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(args) => {
            let config = load(args.clone())?;
            config.something_to_watch()?;
            config.output.start();
            command::serve::run(config, Box::new(move || load(args.clone())))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Analyze(args) => {
            args.output().start();
            command::analyze::run(&args, &mut io::BufWriter::new(io::stdout().lock()))
        }
        Command::Leases(args) => {
            args.output().start();
            command::leases::run(&args, &mut io::BufWriter::new(io::stdout().lock()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Episodes(args) => {
            args.output().start();
            command::episodes::run(&args, &mut io::BufWriter::new(io::stdout().lock()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::CheckConfig(args) => {
            let config = load(args.settings)?;
            let sound = command::check_config::run(&config, args.online, &mut io::stdout().lock())?;
            Ok(ExitCode::from(if sound { 0 } else { 2 }))
        }
    }
}

fn load(args: SettingArgs) -> Result<Config, ConfigError> {
    Config::load(args.flags, Config::environment())
}

/// Whether whoever read our output went away: `leasewatch analyze … | head` has not failed.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
