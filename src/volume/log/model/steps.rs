//! What a writer does next.

use super::{Bounds, Found, Record, Rule, Step, World, Writer};

impl World {
    /// Every way in which the next step of a writer may go.
    pub(super) fn step(&self, place: usize, bounds: Bounds, next: &mut Vec<Found>) {
        let writer = self.writers[place];
        let to = |step| Ok(self.with(place, Writer { step, ..writer }));
        match writer.step {
            Step::Start => next.push(to(Step::Open(self.newest_snapshot()))),
            Step::Open(snapshot) => next.push(Ok(self.open(place, snapshot))),
            Step::Idle => self.leave_idle(place, bounds, next),
            Step::Look { read, last, since } => {
                next.push(to(self.read_next(writer, read, last, since)));
                if !bounds.keeps(Rule::Revalidation) {
                    next.push(to(self.end_of_look(writer, read, last, since, false)));
                }
            }
            Step::Prove { .. } => next.push(self.prove(place, bounds)),
            Step::Put(record) => self.put(place, record, bounds, next),
            Step::Judge(record, known) => self.judge(place, record, known, bounds, next),
            Step::Anchor(record, owner) => {
                let newest = if bounds.keeps(Rule::Anchor) { self.newest_snapshot() } else { 0 };
                next.push(self.anchor(place, record, owner, newest, bounds));
            }
            Step::Heir(record) => match self.slots[self.slot_of(record) + 1] {
                0 if !bounds.keeps(Rule::Behind) => next.push(self.verdict(place, record, 0, bounds)),
                0 => next.push(Ok(self.restart(place))),
                heir => next.push(self.verdict(place, record, self.predecessor(heir), bounds)),
            },
        }
    }

    fn with(&self, place: usize, writer: Writer) -> Self {
        let mut world = *self;
        world.writers[place] = writer;
        world
    }

    pub(super) fn restart(&self, place: usize) -> Self {
        self.with(place, Writer { txid: 0, record: 0, step: Step::Start })
    }

    /// A snapshot that is gone meanwhile sends it back.
    fn open(&self, place: usize, snapshot: u8) -> Self {
        if snapshot == 0 {
            return self.with(place, Writer { txid: 0, record: 0, step: Step::Idle });
        }
        if !self.snapshots.has(snapshot) {
            return self.restart(place);
        }
        let record = self.first[usize::from(snapshot)];
        self.with(place, Writer { txid: snapshot, record, step: Step::Idle })
    }

    fn leave_idle(&self, place: usize, bounds: Bounds, next: &mut Vec<Found>) {
        let writer = self.writers[place];
        let look = Step::Look { read: 0, last: writer.record, since: self.acknowledged };
        next.push(Ok(self.with(place, Writer { step: look, ..writer })));
        if writer.txid < bounds.slots && self.records < bounds.records {
            let mut world = *self;
            // The first number that no record has.
            let record = (1..).zip(&self.made[1..]).find(|(_, made)| made.0 == 0).map_or(0, |(record, _)| record);
            assert!(record > 0, "there are numbers for all records that are made");
            world.records += 1;
            world.made[usize::from(record)] = (writer.txid + 1, writer.record);
            world.writers[place].step = Step::Put(record);
            next.push(Ok(world));
        }
        if writer.txid > 0 && !self.snapshots.has(writer.txid) {
            let mut world = *self;
            world.late_snapshots.add(writer.txid);
            next.push(Ok(world));
        }
    }

    /// Reads the slot after those that a look has read.
    fn read_next(&self, writer: Writer, read: u8, last: Record, since: u8) -> Step {
        match self.slots[usize::from(writer.txid + read + 1)] {
            0 => self.end_of_look(writer, read, last, since, false),
            found if self.predecessor(found) == last => Step::Look { read: read + 1, last: found, since },
            _ => self.end_of_look(writer, read, last, since, true),
        }
    }

    fn end_of_look(&self, writer: Writer, read: u8, last: Record, since: u8, is_broken: bool) -> Step {
        let before = if read > 1 { self.predecessor(last) } else { writer.record };
        Step::Prove { read, last, before, is_broken, since }
    }

    /// Lists the snapshots, and takes from what was read what is proven.
    fn prove(&self, place: usize, bounds: Bounds) -> Found {
        let writer = self.writers[place];
        let Step::Prove { read, last, before, is_broken, since } = writer.step else { return Ok(*self) };
        let is_proven = self.newest_snapshot() <= writer.txid + read || !bounds.keeps(Rule::Proof);
        if is_proven && is_broken {
            return Err(format!("a look finds what does not follow: {self:?}"));
        }
        match (is_proven, read) {
            (true, _) if writer.txid + read < since => Err(format!("a look misses what was acknowledged: {self:?}")),
            (true, _) => Ok(self.with(place, Writer { txid: writer.txid + read, record: last, step: Step::Idle })),
            (false, 0 | 1) => Ok(self.restart(place)),
            // It goes on from there.
            (false, _) => {
                let step = Step::Look { read: 0, last: before, since };
                Ok(self.with(place, Writer { txid: writer.txid + read - 1, record: before, step }))
            }
        }
    }

    /// Sends it; it takes effect at once, later, or never, and is answered or not.
    fn put(&self, place: usize, record: Record, bounds: Bounds, next: &mut Vec<Found>) {
        if !bounds.keeps(Rule::ReadBack) {
            let mut made = *self;
            made.make(record);
            next.push(made.verdict(place, record, record, bounds));
            return;
        }
        if !bounds.keeps(Rule::SentBefore) && self.late_slots.has(record) {
            next.push(self.verdict(place, record, 0, bounds));
        }
        let known = if bounds.keeps(Rule::AnchorAfterwards) { 0 } else { self.newest_snapshot() };
        let mut sent = *self;
        sent.late_slots.add(record);
        sent.writers[place].step = Step::Judge(record, known);
        next.push(Ok(sent));
    }

    /// Reads who has the slot; a mount may believe that nobody has, and then it is put again.
    fn judge(&self, place: usize, record: Record, known: u8, bounds: Bounds, next: &mut Vec<Found>) {
        let writer = self.writers[place];
        let owner = self.slots[self.slot_of(record)];
        if owner == 0 && !bounds.keeps(Rule::Doubt) {
            next.push(self.verdict(place, record, 0, bounds));
            return;
        }
        next.push(Ok(self.with(place, Writer { step: Step::Put(record), ..writer })));
        if owner == 0 {
            return;
        }
        next.push(if bounds.keeps(Rule::AnchorAfterwards) {
            Ok(self.with(place, Writer { step: Step::Anchor(record, owner), ..writer }))
        } else {
            self.anchor(place, record, owner, known, bounds)
        });
    }

    fn anchor(&self, place: usize, record: Record, owner: Record, newest: u8, bounds: Bounds) -> Found {
        if usize::from(newest) <= self.slot_of(record) {
            return self.verdict(place, record, owner, bounds);
        }
        Ok(self.with(place, Writer { step: Step::Heir(record), ..self.writers[place] }))
    }

    /// Acknowledges or gives up, which must be true.
    fn verdict(&self, place: usize, record: Record, owner: Record, bounds: Bounds) -> Found {
        let slot = self.slot_of(record);
        let says_the_same = owner != 0 && self.predecessor(owner) == self.predecessor(record);
        let is_mine = owner == record || (says_the_same && !bounds.keeps(Rule::Nonce));
        let writer = self.writers[place];
        let is_first = self.first[slot] == record;
        if is_mine && !is_first {
            return Err(format!("{record} is acknowledged and not in the log: {self:?}"));
        }
        if !is_mine {
            let may_come = self.first[slot] == 0 && self.late_slots.has(record);
            if is_first || may_come {
                return Err(format!("{record} is called lost and is or comes into the log: {self:?}"));
            }
            return Ok(self.with(place, Writer { step: Step::Idle, ..writer }));
        }
        let txid = u8::try_from(slot).unwrap_or_default();
        let mut world = self.with(place, Writer { txid, record, step: Step::Idle });
        world.acknowledged = world.acknowledged.max(txid);
        Ok(world)
    }
}
