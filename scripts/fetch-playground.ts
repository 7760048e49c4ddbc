import { fetchPackage } from './fetch-package.ts';

// Puts the files of GraphQL Playground where its test finds them. As a dependency the package would bring 460 others, of which
// its built files need none.
await fetchPackage('graphql-playground-react', '1.7.28');
