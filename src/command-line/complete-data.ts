/**
 * The data of an answer without errors. Root fields are nullable, so that the failure of one does not take the others with it;
 * without an error, only a field that looks up one thing is null.
 */
export type CompleteData<Data> = {
  [Field in keyof Data]: Field extends LookUp ? Data[Field] : NonNullable<Data[Field]>;
};

type LookUp = 'job' | 'dataSource' | 'item' | 'node';
