# PostgreSQL 15's SQL, as far as Quorate has it. Its symbols in quotes are key words and punctuation, compared with a token's text;
# those after % are kinds of tokens or matchers of tokens.ts. `npm run grammar -w packages/sql` makes sql.grammar.ts from it.
#
# What must hold: every statement has one parse (grammar.test.ts), and a rule's action has no effect until the whole parse has
# succeeded (deferred.ts), so it may throw.
@preprocessor typescript
@{%
import type { QualifiedName } from "./ast.ts";
import {
	all, between, binary, callNode, caseNode, castTo, characterType, closed, distinct, finishCall, flat, floatType, inList, inQuery,
	intervalNode, intervalTypeNode, isNode, like, likeAny, nameOf, negate, one, overlaps, quantified, similar, special, specialList, subscriptNode, fieldNode, isNormalized, typeNode, unary, worded,
} from "./build-expression.ts";
import {
	aroundQuery, functionsTable, functionTable, groupClause, groupElement, joinNode, joinTable, limited, notRecursive, queryNode, queryOrInto, selectNode, setOperation, sortUsing, subqueryTable, tableNode, tableQuery, twoLimits,
} from "./build-query.ts";
import {
	assignmentOf, assignRow, collateClause, collated, columnNode, conflictTarget, copyQuery, copyTable, createDomain, createIndex, createSequence, createTable, createTableAs, deleteNode,
	explainNode, insertNode, intervalZone, likeParts, modesNode, option, placedNames, recursiveView, schemaNode, settingNode, updateNode,
} from "./build-statement.ts";
import { deferralOf, plainReference, timesOf, undeferred } from "./build-constraint.ts";
import { declareNode, fetchNode, way } from "./build-cursor.ts";
import { alterOwner, grantNode, groupNode, membershipNode, roleFlagOption, specialRole } from "./build-role.ts";
import { frameBetween, frameBound, frameNode, windowNode } from "./build-window.ts";
import { first, more, pair } from "./deferred.ts";
import { placedArguments } from "./named-arguments.ts";
import {
	aliasBeforeSet, anyToken, anyWord, bareToken, bareLabel, columnName, constant, functionName, grantedToken, plainWord, zoneWord,
} from "./tokens.ts";
import { amongActions, noXml, uncommentable, unsupported } from "./unsupported.ts";

/** nearley's own: of a rule that is its first symbol. */
export { id };
%}
@lexer tokens

statement -> query {% ([query], at) => queryOrInto(query, at) %}
           | changeStatement {% id %}
           | truncate {% id %}
           | copy {% id %}
           | createTable {% id %}
           | createIndex {% id %}
           | createSequence {% id %}
           | alterSequence {% id %}
           | createSchema {% id %}
           | createType {% id %}
           | createDomain {% id %}
           | createView {% id %}
           | alterView {% id %}
           | alterName {% id %}
           | alterTable {% id %}
           | configure {% id %}
           | drop {% id %}
           | transaction {% id %}
           | set {% id %}
           | reset {% id %}
           | show {% id %}
           | showConfiguration {% id %}
           | explain {% id %}
           | prepare {% id %}
           | execute {% id %}
           | deallocate {% id %}
           | discard {% id %}
           | maintenance {% id %}
           | cancelJob {% id %}
           | lockTable {% id %}
           | notification {% id %}
           | comment {% id %}
           | cursor {% id %}
           | backup {% id %}
           | role {% id %}
           | databaseStatement {% id %}
           | extension {% id %}
           | grant {% id %}

