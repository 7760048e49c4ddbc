/**
 * @generated SignedSource<<e8d0b3780816777febe797450f0622ea>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type JobOutcome = "ITEMS_FAILED" | "NOTHING_SUCCEEDED" | "SOURCES_FAILED" | "SUCCEEDED" | "%future added value";
export type JobState = "CANCELLED" | "CANCELLING" | "COMPLETED" | "FAILED" | "PAUSED" | "PAUSING" | "QUEUED" | "RUNNING" | "%future added value";
export type SyncState = "CANCELLED" | "CANCELLING" | "COMPLETED" | "FAILED" | "NO_SYNC_JOB" | "PAUSED" | "PAUSING" | "QUEUED" | "RUNNING" | "%future added value";
export type WatchSync$variables = Record<PropertyKey, never>;
export type WatchSync$data = {
  readonly syncProgress: {
    readonly id: string;
    readonly job: {
      readonly finishedAt: any | null | undefined;
      readonly id: string;
      readonly outcome: JobOutcome | null | undefined;
      readonly progress: {
        readonly byType: ReadonlyArray<{
          readonly dataType: string;
          readonly errorCount: any;
          readonly id: string;
          readonly processedItems: any;
          readonly totalItems: any | null | undefined;
        }>;
        readonly currentOperation: string;
        readonly errorCount: any;
        readonly estimatedCompletion: any | null | undefined;
        readonly id: string;
        readonly itemsPerSecond: number | null | undefined;
        readonly percent: number | null | undefined;
        readonly processedItems: any;
        readonly totalItems: any | null | undefined;
      };
      readonly recentErrors: ReadonlyArray<string>;
      readonly revision: number;
      readonly state: JobState;
    } | null | undefined;
    readonly state: SyncState;
  };
};
export type WatchSync = {
  response: WatchSync$data;
  variables: WatchSync$variables;
};

const node: ConcreteRequest = (function(){
var v0 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v1 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "state",
  "storageKey": null
},
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "processedItems",
  "storageKey": null
},
v3 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "totalItems",
  "storageKey": null
},
v4 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "errorCount",
  "storageKey": null
},
v5 = [
  {
    "alias": null,
    "args": null,
    "concreteType": "SyncStatus",
    "kind": "LinkedField",
    "name": "syncProgress",
    "plural": false,
    "selections": [
      (v0/*:: as any*/),
      (v1/*:: as any*/),
      {
        "alias": null,
        "args": null,
        "concreteType": "Job",
        "kind": "LinkedField",
        "name": "job",
        "plural": false,
        "selections": [
          (v0/*:: as any*/),
          (v1/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "outcome",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "finishedAt",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "revision",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "concreteType": "JobProgress",
            "kind": "LinkedField",
            "name": "progress",
            "plural": false,
            "selections": [
              (v0/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "currentOperation",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "percent",
                "storageKey": null
              },
              (v2/*:: as any*/),
              (v3/*:: as any*/),
              (v4/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "itemsPerSecond",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "estimatedCompletion",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "concreteType": "TypeProgress",
                "kind": "LinkedField",
                "name": "byType",
                "plural": true,
                "selections": [
                  (v0/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "dataType",
                    "storageKey": null
                  },
                  (v2/*:: as any*/),
                  (v3/*:: as any*/),
                  (v4/*:: as any*/)
                ],
                "storageKey": null
              }
            ],
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "recentErrors",
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": [],
    "kind": "Fragment",
    "metadata": null,
    "name": "WatchSync",
    "selections": (v5/*:: as any*/),
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [],
    "kind": "Operation",
    "name": "WatchSync",
    "selections": (v5/*:: as any*/)
  },
  "params": {
    "cacheID": "17b1094f14bb886db246763333e28fe3",
    "id": null,
    "metadata": {},
    "name": "WatchSync",
    "operationKind": "subscription",
    "text": "subscription WatchSync {\n  syncProgress {\n    id\n    state\n    job {\n      id\n      state\n      outcome\n      finishedAt\n      revision\n      progress {\n        id\n        currentOperation\n        percent\n        processedItems\n        totalItems\n        errorCount\n        itemsPerSecond\n        estimatedCompletion\n        byType {\n          id\n          dataType\n          processedItems\n          totalItems\n          errorCount\n        }\n      }\n      recentErrors\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "205e32a9275d5b5e2350a0550e636e9c";

export default node;
