/**
 * What the model holds to be true of the service, where it decides something. The planted bugs of the model each
 * break one of these: the comparison has to notice.
 */
export const laws = {
  /** A rollback moves the pointer to an old version, and makes no new one. */
  rollbackMovesPointer: true,
  /** What a commit deletes no longer holds its unique values. */
  deletionFreesValues: true,
  /** The state after a commit is judged, not each of its steps. */
  commitIsJudgedWhole: true,
  /** What is referred to is not deleted. */
  referencesHold: true,
  /** What equals the current version makes no revision. */
  unchangedMakesNoRevision: true,
  /** A rehearsal writes nothing. */
  dryRunWritesNothing: true,
  /** `If-Match` is compared with what is there. */
  tagsAreCompared: true,
  /** A pending version stays based on what was current when it was started. */
  baseStays: true,
  /** A commit on another base than the current version is refused. */
  baseIsHeld: true,
  /** What a pending version is based on is not expired. */
  basesAreKept: true,
  /** A rebase merges what both sides changed. */
  rebaseMerges: true,
  /** A receipt falls when a definition changes. */
  receiptKnowsDefinitions: true,
  /** A discarded changeset takes its members along. */
  discardTakesMembers: true,
  /** A commit of a changeset takes all of its members. */
  changesetIsWhole: true,
  /** Any edit voids the approvals. */
  editVoidsApprovals: true,
  /** Nobody approves what they staged. */
  stagersDoNotApprove: true,
  /** A scheduled changeset takes no edits. */
  scheduleCloses: true,
  /** A revert deletes what the commit created. */
  revertDeletesCreated: true,
  /** A revert is refused when a record has moved since. */
  revertMindsMoves: true,
  /** A repeat with the same Idempotency-Key has no second effect. */
  repeatsAreAnswered: true,
  /** A refusal is an answer too, and is repeated. */
  refusalsAreKept: true,
  /** Only an admin asks for fewer approvals, or for another retention. */
  onlyAdminsLoosen: true,
  /** A definition that live records would break is refused. */
  definitionMindsRecords: true,
};

export type Laws = typeof laws;
export type Law = keyof Laws;
