import { someChange } from './changes.js';
import type { Action, Kind } from './operations.js';
import { someResolutions } from './record-actions.js';
import { anyTitle, openTitle, type Scene, sawOf, seeingChangeset, someKey, someMessage } from './scene.js';
import { currentNumber, membersOf } from './state.js';

/** How clients come to their actions on changesets. */
export const changesetActions = {
  'create-changeset': ({ label }) => ({ type: 'create-changeset', title: label('changeset') }),
  'validate-changeset': (scene) => ({
    type: 'validate-changeset',
    title: anyTitle(scene),
    receipt: scene.label('receipt'),
  }),
  'commit-changeset': (scene) => {
    const title = openTitle(scene);
    const seen = seeingChangeset(scene, title);
    return { type: 'commit-changeset', title, ...seen, ...someMessage(scene), ...someKey(scene) };
  },
  'rebase-changeset': (scene) => {
    const { random, state } = scene;
    const title = openTitle(scene);
    const members = membersOf(state, title)
      .filter((member) => member.base !== currentNumber(state, member) || random.chance(0.05))
      .map(({ collection, key }) => ({ collection, key }))
      .map((at) => ({ ...at, resolutions: someResolutions(scene, { ...at, changeset: title }) }))
      .filter(({ resolutions }) => Object.keys(resolutions).length > 0 || random.chance(0.1));
    return {
      type: 'rebase-changeset',
      title,
      members,
      ...(random.chance(0.3) ? sawOf(scene, title, true) : {}),
    };
  },
  'stage-lines': (scene) => {
    const { random } = scene;
    const title = openTitle(scene);
    const lines = Array.from({ length: 1 + random.below(5) }, () => {
      const { ifVersion: _, ...change } = someChange(scene);
      return { ...change, ...someMessage(scene) };
    });
    return { type: 'stage-lines', title, lines, ...sawOf(scene, title, random.chance(0.5)) };
  },
  'approve-changeset': (scene) => {
    const title = anyTitle(scene);
    return { type: 'approve-changeset', title, ...sawOf(scene, title, true) };
  },
  'discard-changeset': (scene) => {
    const title = openTitle(scene);
    return { type: 'discard-changeset', title, ...sawOf(scene, title, true) };
  },
  'schedule-changeset': (scene) => {
    const title = anyTitle(scene);
    const past = scene.random.chance(0.1) ? { past: true as const } : {};
    return { type: 'schedule-changeset', title, ...seeingChangeset(scene, title), ...past };
  },
  'unschedule-changeset': (scene) => ({ type: 'unschedule-changeset', title: anyTitle(scene) }),
  'commit-scheduled': (scene) => {
    const scheduled = [...scene.state.changesets.values()].filter(({ state }) => state === 'scheduled');
    const title = scheduled.length > 0 ? scene.random.pick(scheduled).title : anyTitle(scene);
    return { type: 'commit-scheduled', title };
  },
} satisfies { [K in Kind]?: (scene: Scene) => Action };
