import { SyntaxKind } from 'typescript/unstable/ast'
import { API, type Checker, type NodeHandle, type Symbol as TypeSymbol } from 'typescript/unstable/sync'

type Node = NonNullable<ReturnType<NodeHandle['resolve']>>

/** A type of a package that its exported declarations name. */
export interface NamedType {
  readonly name: string
  /** The exported name whose declaration has it. */
  readonly by: string
  readonly isExported: boolean
}

/**
 * The types of a package's own that the declarations of its entry points name, transitively through what is exported, and
 * whether each is exported by one of them. What the constructor of a class takes that is exported as a type only does not
 * count: nothing outside can call it.
 *
 * @param config a tsconfig whose program has the entry points
 * @param entries paths of their `.d.ts`, of which all have `root` in their path
 */
export function namedTypes(config: string, entries: readonly string[], root: string): NamedType[] {
  const api = new API({ cwd: root })
  try {
    const [project] = api.updateSnapshot({ openProject: config }).getProjects()
    const { checker, program } = project!
    const exported = entries.flatMap((entry) => exportsOf(checker, program.getSourceFile(entry)!))
    const ids = new Set(exported.map(({ symbol }) => symbol.id))
    return exported.flatMap(({ symbol, isTypeOnly }) =>
      ownReferences(checker, symbol, { root, skipConstructors: isTypeOnly }).map((named) => ({
        name: named.name,
        by: symbol.name,
        isExported: ids.has(named.id),
      })),
    )
  } finally {
    api.close()
  }
}

interface Exported {
  readonly symbol: TypeSymbol
  readonly isTypeOnly: boolean
}

function exportsOf(checker: Checker, entry: Node): Exported[] {
  return checker.getExportsOfModule(checker.getSymbolAtLocation(entry)!).map((symbol) => ({
    symbol: aliased(checker, symbol),
    isTypeOnly: symbol.declarations.some((handle) => isTypeOnly(handle.resolve())),
  }))
}

function isTypeOnly(specifier: Node | undefined): boolean {
  const flagged = [specifier, specifier?.parent?.parent] as ReadonlyArray<{ readonly isTypeOnly?: boolean } | undefined>
  return flagged.some((node) => node?.isTypeOnly === true)
}

/** The symbols under `root`, each once, that the declarations of a symbol name. */
function ownReferences(
  checker: Checker,
  symbol: TypeSymbol,
  { root, skipConstructors }: { readonly root: string; readonly skipConstructors: boolean },
): TypeSymbol[] {
  const found = new Map<number, TypeSymbol>()
  const visit = (node: Node): undefined => {
    if (skipConstructors && node.kind === SyntaxKind.Constructor) {
      return
    }
    if (node.kind === SyntaxKind.Identifier) {
      const named = checker.getSymbolAtLocation(node)
      const target = named && aliased(checker, named)
      if (target !== undefined && target.id !== symbol.id && isDeclaredIn(target, root)) {
        found.set(target.id, target)
      }
    }
    node.forEachChild(visit)
  }
  for (const handle of symbol.declarations) {
    const declaration = handle.resolve()
    if (declaration !== undefined && handle.path.includes(root)) {
      visit(declaration)
    }
  }
  return [...found.values()]
}

function aliased(checker: Checker, symbol: TypeSymbol): TypeSymbol {
  return symbol.declarations.some(({ kind }) => ALIASES.has(kind)) ? checker.getAliasedSymbol(symbol) : symbol
}

const ALIASES = new Set([SyntaxKind.ExportSpecifier, SyntaxKind.ImportSpecifier, SyntaxKind.ImportClause])

/** What declares a type; a constant that a type is taken of has its values in that type. */
const DECLARATIONS = new Set([
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.EnumDeclaration,
])

function isDeclaredIn(symbol: TypeSymbol, root: string): boolean {
  return symbol.declarations.some(({ kind, path }) => DECLARATIONS.has(kind) && path.includes(root))
}
