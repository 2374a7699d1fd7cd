//! What each probe costs on this machine: CPU time (of programs that it runs too), bytes read, allocations. The floor, in the
//! same run: asking the host the same questions again without understanding the answers.
//!
//! ```text
//! cargo bench -p affiant-agent --bench probes [-- PROBE...]
//! ```
//!
//! Probes that run once a day are listed apart; they are not part of a round.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use std::alloc::System;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::Duration;

use affiant_agent::machine::{Deadline, Machine, MachineHost};
use probes::reading::{
    Command, Entry, Found, Host, Inventory, Listener, OldTls, Output, Stat, TlsPeer, Unread, Walk, Walked,
};
use probes::registry::{self, Registered};
use probes::{Cadence, Spec};
use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Times that each probe runs; the median counts.
const ROUNDS: usize = 7;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let is_wanted = |spec: &Spec| wanted.is_empty() || wanted.iter().any(|id| id == spec.id);
    let probes: Vec<_> = registry::all()
        .into_iter()
        .filter(|probe| is_wanted(probe.spec))
        .collect();
    let cadences = [
        ("every round", Cadence::EveryRound),
        ("on changes", Cadence::OnChange),
        ("once a day", Cadence::Daily),
    ];
    for (title, cadence) in cadences {
        println!(
            "{title:24} {:>9} {:>9} {:>6} {:>11} {:>9} {:>11} {:>9}",
            "CPU", "floor", "ratio", "read", "calls", "allocated", "times"
        );
        let mut total = Cost::default();
        for probe in probes.iter().filter(|probe| probe.spec.cadence == cadence) {
            let cost = cost(*probe);
            cost.print(probe.spec.id);
            total.add(&cost);
        }
        total.print("all of them");
        println!();
    }
}

#[derive(Default, Clone)]
struct Cost {
    cpu: Duration,
    floor: Duration,
    read: u64,
    calls: u64,
    allocated: usize,
    allocations: usize,
}

impl Cost {
    fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.floor += other.floor;
        self.read += other.read;
        self.calls += other.calls;
        self.allocated += other.allocated;
        self.allocations += other.allocations;
    }

    fn print(&self, name: &str) {
        let ratio = self.cpu.as_secs_f64() / self.floor.as_secs_f64().max(1e-9);
        println!(
            "{name:24} {:>6} µs {:>6} µs {ratio:>6.1} {:>8} KiB {:>9} {:>8} KiB {:>9}",
            self.cpu.as_micros(),
            self.floor.as_micros(),
            self.read / 1024,
            self.calls,
            self.allocated / 1024,
            self.allocations
        );
    }
}

/// CPU time of this thread, and of programs that it waited for.
fn processor() -> Duration {
    let own = clock_gettime(ClockId::ThreadCPUTime);
    let own = Duration::new(own.tv_sec.try_into().unwrap(), own.tv_nsec.try_into().unwrap());
    own + children()
}

/// proc_pid_stat(5): fields 16 and 17, in ticks of a hundredth of a second.
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn cost(probe: Registered) -> Cost {
    let machine = || Machine::own().host(probe.spec, Deadline::within(600_000));
    let counting = Counting::new(machine());
    probe.collect(&counting);
    let mut cost = Cost {
        read: counting.read.get(),
        calls: counting.calls.get(),
        ..Cost::default()
    };
    let rounds = if probe.spec.cadence == Cadence::Daily {
        1
    } else {
        ROUNDS
    };
    let mut times = Vec::new();
    for _ in 0..rounds {
        let host = machine();
        let (region, begin) = (Region::new(ALLOCATOR), processor());
        let documents = probe.collect(&host);
        times.push(processor().saturating_sub(begin));
        let change = region.change();
        (cost.allocated, cost.allocations) = (change.bytes_allocated, change.allocations);
        drop(documents);
    }
    cost.cpu = median(times);
    let asked = counting.asked.into_inner();
    let host = machine();
    cost.floor = median((0..rounds).map(|_| ask_again(&host, &asked)).collect());
    cost
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

enum Question {
    Read(String),
    ReadAt(String, u64, usize),
    List(String),
    Stat(String, bool),
    Link(String),
    Run(String, Vec<String>),
    Extended(String, String),
}

fn ask_again(host: &MachineHost, asked: &[Question]) -> Duration {
    let begin = processor();
    for question in asked {
        match question {
            Question::Read(path) => drop(host.read(path, u64::MAX >> 1)),
            Question::ReadAt(path, offset, length) => drop(host.read_at(path, *offset, *length)),
            Question::List(path) => drop(host.list(path)),
            Question::Stat(path, follow) => drop(host.stat(path, *follow)),
            Question::Link(path) => drop(host.read_link(path)),
            Question::Extended(path, name) => drop(host.extended(path, name)),
            Question::Run(program, args) => {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                drop(host.run(&Command { program, args: &args }));
            }
        }
    }
    processor().saturating_sub(begin)
}

/// Counts what is asked.
struct Counting {
    inner: MachineHost,
    read: Cell<u64>,
    calls: Cell<u64>,
    asked: RefCell<Vec<Question>>,
}

impl Counting {
    fn new(inner: MachineHost) -> Self {
        Self {
            inner,
            read: Cell::new(0),
            calls: Cell::new(0),
            asked: RefCell::default(),
        }
    }

    fn note(&self, question: Question) {
        self.calls.set(self.calls.get() + 1);
        self.asked.borrow_mut().push(question);
    }

    fn count(&self, bytes: usize) {
        self.read.set(self.read.get() + bytes as u64);
    }
}

impl Host for Counting {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        self.note(Question::Read(path.to_owned()));
        let read = self.inner.read(path, limit)?;
        self.count(read.as_ref().map_or(0, Vec::len));
        Ok(read)
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        self.note(Question::ReadAt(path.to_owned(), offset, length));
        let read = self.inner.read_at(path, offset, length)?;
        self.count(read.as_ref().map_or(0, Vec::len));
        Ok(read)
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        self.note(Question::List(path.to_owned()));
        self.inner.list(path)
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        self.note(Question::Stat(path.to_owned(), follow));
        self.inner.stat(path, follow)
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        self.note(Question::Link(path.to_owned()));
        self.inner.read_link(path)
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        let args = command.args.iter().map(|&arg| arg.to_owned()).collect();
        self.note(Question::Run(command.program.to_owned(), args));
        let ran = self.inner.run(command)?;
        self.count(ran.as_ref().map_or(0, |output| output.stdout.len()));
        Ok(ran)
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.calls.set(self.calls.get() + 1);
        self.inner.inventory()
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        self.note(Question::Extended(path.to_owned(), name.to_owned()));
        self.inner.extended(path, name)
    }

    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        let walked = self.inner.walk(walk, found)?;
        let entries = walked.as_ref().map_or(0, |walked| walked.entries);
        self.calls.set(self.calls.get() + entries);
        Ok(walked)
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.calls.set(self.calls.get() + 1);
        self.inner.listeners()
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        self.calls.set(self.calls.get() + 1);
        self.inner.tls_handshake(address)
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        self.calls.set(self.calls.get() + 1);
        self.inner.tls_before_1_2(address)
    }
}
