/*
 * layout.c
 *	  Shapes of captured rows, and rows as bytes.
 *
 * NOTES
 *	  Writers store a layout in the transaction that first uses it; the task
 *	  reads layouts and keeps them.  A layout never changes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "access/transam.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "compat.h"
#include "stream/stream.h"

/*
 * A row of desc as bytes: a MinimalTuple.  Varlena values must be detoasted.
 */
bytea *
connect_layout_pack(TupleDesc desc, Datum *values, bool *nulls)
{
	MinimalTuple tuple = connect_form_minimal_tuple(desc, values, nulls);
	bytea	   *row = palloc(VARHDRSZ + tuple->t_len);

	SET_VARSIZE(row, VARHDRSZ + tuple->t_len);
	memcpy(VARDATA(row), tuple, tuple->t_len);
	pfree(tuple);
	return row;
}

/* The reverse; values point into a palloc'ed copy, aligned as tuples must be. */
void
connect_layout_unpack(TupleDesc desc, const bytea *row,
					  Datum *values, bool *nulls)
{
	Size		len = VARSIZE_ANY_EXHDR(row);
	MinimalTuple tuple = palloc(len);
	HeapTupleData heap;

	memcpy(tuple, VARDATA_ANY(row), len);
	heap.t_len = tuple->t_len + MINIMAL_TUPLE_OFFSET;
	heap.t_data = (HeapTupleHeader) ((char *) tuple - MINIMAL_TUPLE_OFFSET);
	ItemPointerSetInvalid(&heap.t_self);
	heap.t_tableOid = InvalidOid;
	heap_deform_tuple(&heap, desc, values, nulls);
}

/* Messages of connect_emit(): topic, key, value, headers. */
TupleDesc
connect_layout_message_desc(void)
{
	TupleDesc	desc = CreateTemplateTupleDesc(4);

	TupleDescInitEntry(desc, 1, "topic", TEXTOID, -1, 0);
	TupleDescInitEntry(desc, 2, "key", BYTEAOID, -1, 0);
	TupleDescInitEntry(desc, 3, "value", BYTEAOID, -1, 0);
	TupleDescInitEntry(desc, 4, "headers", JSONBOID, -1, 0);
	return desc;
}

/* What a truncate tells of the table that it emptied. */
TupleDesc
connect_layout_table_desc(void)
{
	TupleDesc	desc = CreateTemplateTupleDesc(2);

	TupleDescInitEntry(desc, 1, "schema", TEXTOID, -1, 0);
	TupleDescInitEntry(desc, 2, "table", TEXTOID, -1, 0);
	return desc;
}

/*
 * Text of composite types, and of other people's, may depend on settings: it
 * must not on those of whoever writes the row.  Returns the nest level.
 */
static int
pin_settings(void)
{
	static const char *const pinned[][2] = {
		{"DateStyle", "ISO, MDY"}, {"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"}, {"extra_float_digits", "1"},
		{"bytea_output", "hex"}, {"search_path", "pg_catalog, pg_temp"}
	};
	int			nest = NewGUCNestLevel();

	for (int i = 0; i < lengthof(pinned); i++)
	{
		if (strcmp(GetConfigOption(pinned[i][0], false, false), pinned[i][1]) != 0)
			(void) set_config_option(pinned[i][0], pinned[i][1], PGC_USERSET,
									 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
									 false);
	}
	return nest;
}

/* The array with its elements as text. */
static Datum
texts_of(FmgrInfo *output, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int16		len;
	bool		byval;
	char		align;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &len, &byval, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), len, byval, align, &elems,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			elems[i] = CStringGetTextDatum(OutputFunctionCall(output, elems[i]));
	}
	return PointerGetDatum(construct_md_array(elems, nulls, ARR_NDIM(array),
											  ARR_DIMS(array), ARR_LBOUND(array),
											  TEXTOID, -1, false, TYPALIGN_INT));
}

void
connect_layout_read_slot(const ConnectLayout *layout, TupleTableSlot *slot,
						 Datum *values, bool *nulls)
{
	int			nest = layout->has_settings ? pin_settings() : 0;

	slot_getallattrs(slot);
	for (int i = 0; i < layout->desc->natts; i++)
	{
		int			att = layout->attnums[i] - 1;

		nulls[i] = slot->tts_isnull[att];
		values[i] = slot->tts_values[att];
		if (nulls[i])
			continue;
		if (OidIsValid(layout->outputs[i].fn_oid))
			values[i] = TupleDescAttr(layout->desc, i)->atttypid == TEXTARRAYOID ?
				texts_of(&layout->outputs[i], values[i]) :
				CStringGetTextDatum(OutputFunctionCall(&layout->outputs[i],
													   values[i]));
		else if (layout->varlena[i])
			values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[i]));
	}
	if (layout->has_settings)
		AtEOXact_GUC(true, nest);
}

bytea *
connect_layout_pack_slot(const ConnectLayout *layout, TupleTableSlot *slot)
{
	Datum	   *values = palloc(sizeof(Datum) * layout->desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * layout->desc->natts);

	connect_layout_read_slot(layout, slot, values, nulls);
	return connect_layout_pack(layout->desc, values, nulls);
}

static bool
name_in(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/* What is computed when it is read is in no row that a trigger sees. */
static bool
is_in_rows(Form_pg_attribute att)
{
	return !att->attisdropped &&
		(att->attgenerated == '\0' ||
		 att->attgenerated == ATTRIBUTE_GENERATED_STORED);
}

/* Raises unless there is such a column, and it can be captured. */
void
connect_layout_check_column(Relation rel, const char *name, const char *option)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;
		if (is_in_rows(att))
			return;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of table \"%s\", named by \"%s\", cannot be captured",
						name, RelationGetRelationName(rel), option),
				 errdetail("It is a virtual generated column.")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of table \"%s\", named by \"%s\", does not exist",
					name, RelationGetRelationName(rel), option)));
}

/* Adds one column of the table to a layout that has room for it. */
static void
add_column(ConnectLayout *layout, int i, Form_pg_attribute att)
{
	int32		typmod = att->atttypmod;
	Oid			type = getBaseTypeAndTypmod(att->atttypid, &typmod);

	if (type >= FirstGenbkiObjectId)
	{
		Oid			element = get_element_type(type);
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(OidIsValid(element) ? element : type, &output,
						  &varlena);
		fmgr_info_cxt(output, &layout->outputs[i], CurrentMemoryContext);
		layout->has_settings |=
			get_typtype(OidIsValid(element) ? getBaseType(element) : type) != TYPTYPE_ENUM;
		type = OidIsValid(element) ? TEXTARRAYOID : TEXTOID;
		typmod = -1;
	}
	layout->attnums[i] = att->attnum;
	layout->varlena[i] = get_typlen(type) == -1;
	TupleDescInitEntry(layout->desc, i + 1, NameStr(att->attname), type,
					   typmod, 0);
	TupleDescAttr(layout->desc, i)->attnotnull = att->attnotnull;
}

static bool
rows_have(TupleDesc desc, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		bool		found = false;

		for (int i = 0; i < desc->natts && !found; i++)
			found = is_in_rows(TupleDescAttr(desc, i)) &&
				strcmp(NameStr(TupleDescAttr(desc, i)->attname), lfirst(lc)) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* What identifies a row: the primary key, or the replica identity's index. */
static Bitmapset *
identity_columns(Relation rel)
{
	Bitmapset  *pk = RelationGetIndexAttrBitmap(rel,
												INDEX_ATTR_BITMAP_PRIMARY_KEY);

	return pk != NULL ? pk :
		RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_IDENTITY_KEY);
}

/*
 * The layout of a table's captured columns; id is not set.  The key is the
 * stream's, in the order written, or what identifies a row: also if a column of
 * the stream's is not there any more.  Key columns are captured even if the
 * column list lacks them.
 */
ConnectLayout *
connect_layout_make(Relation rel, const ConnectStream *stream)
{
	TupleDesc	rowdesc = RelationGetDescr(rel);
	ConnectLayout *layout = palloc0(sizeof(ConnectLayout));
	List	   *key = rows_have(rowdesc, stream->key) ? stream->key : NIL;
	Bitmapset  *pk = key != NIL ? NULL : identity_columns(rel);
	int		   *atts = palloc(sizeof(int) * rowdesc->natts);
	int			n = 0;
	ListCell   *lc;

	for (int i = 0; i < rowdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(rowdesc, i);
		const char *name = NameStr(att->attname);

		if (is_in_rows(att) &&
			(stream->columns == NIL || name_in(stream->columns, name) ||
			 name_in(key, name) ||
			 bms_is_member(att->attnum - FirstLowInvalidHeapAttributeNumber, pk)))
			atts[n++] = i;
	}

	layout->stream = stream->id;
	layout->desc = CreateTemplateTupleDesc(n);
	layout->keys = palloc(sizeof(int) * Max(n, 1));
	layout->attnums = palloc(sizeof(AttrNumber) * Max(n, 1));
	layout->outputs = palloc0(sizeof(FmgrInfo) * Max(n, 1));
	layout->varlena = palloc0(sizeof(bool) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		add_column(layout, i, TupleDescAttr(rowdesc, atts[i]));
		if (bms_is_member(layout->attnums[i] - FirstLowInvalidHeapAttributeNumber,
						  pk))
			layout->keys[layout->nkeys++] = i;
	}
	foreach(lc, key)
	{
		for (int i = 0; i < n; i++)
		{
			if (strcmp(NameStr(TupleDescAttr(layout->desc, i)->attname),
					   lfirst(lc)) == 0)
				layout->keys[layout->nkeys++] = i;
		}
	}
	return layout;
}

/* ---- filters ---- */

struct ConnectFilter
{
	EState	   *estate;
	ExprState  *qual;
};

/* check_functions_in_node() callback */
static bool
is_foreign_function(Oid function, void *context)
{
	return function >= FirstNormalObjectId ||
		func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

/* A constraint of a domain, or of one inside a composite type, is user's code. */
static bool
is_foreign_type(Oid type)
{
	char		typtype = get_typtype(type);
	Oid			elem = get_element_type(type);

	if (OidIsValid(elem))
		return is_foreign_type(elem);
	return type >= FirstNormalObjectId &&
		(typtype == TYPTYPE_DOMAIN || typtype == TYPTYPE_COMPOSITE);
}

static bool
has_foreign_function(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_foreign_function, context) ||
		IsA(node, NextValueExpr) || IsA(node, SQLValueFunction))
		return true;
	/* reading a column runs nothing */
	if (!IsA(node, Var) && !IsA(node, List) && !IsA(node, RelabelType) &&
		is_foreign_type(exprType(node)))
		return true;
	return expression_tree_walker(node, has_foreign_function, context);
}

/* A walker: the columns that a filter names. */
static bool
check_filter_columns(Node *node, void *rel)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && castNode(Var, node)->varattno > 0)
		connect_layout_check_column(rel, NameStr(*attnumAttName(rel, castNode(Var, node)->varattno)),
									"where");
	return expression_tree_walker(node, check_filter_columns, rel);
}

static void
add_filter_context(void *rel)
{
	errcontext("filter \"where\" of streamed table \"%s\"",
			   RelationGetRelationName((Relation) rel));
}

/*
 * Compiles a filter.  It runs as whoever writes to the table: like a
 * publication's it may use built-in immutable functions and operators alone.
 */
ConnectFilter *
connect_filter_make(Relation rel, const char *expression)
{
	ConnectFilter *filter = palloc(sizeof(ConnectFilter));
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	SelectStmt *select;
	Node	   *expr;
	int			nest = NewGUCNestLevel();
	ErrorContextCallback callback = {error_context_stack, add_filter_context, rel};

	error_context_stack = &callback;

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	select = (SelectStmt *)
		linitial_node(RawStmt, raw_parser(expression,
										  RAW_PARSE_PLPGSQL_EXPR))->stmt;
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL,
										 false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	expr = transformWhereClause(pstate,
								linitial_node(ResTarget,
											  select->targetList)->val,
								EXPR_KIND_TRIGGER_WHEN, "where");
	assign_expr_collations(pstate, expr);
	if (has_foreign_function(expr, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the filter of table \"%s\" may use built-in immutable functions and operators alone",
						RelationGetRelationName(rel)),
				 errdetail("The filter is: %s", expression)));
	(void) check_filter_columns(expr, rel);
	error_context_stack = callback.previous;
	free_parsestate(pstate);
	AtEOXact_GUC(true, nest);
	filter->estate = CreateExecutorState();
	filter->qual = ExecPrepareQual(make_ands_implicit((Expr *) expr),
								   filter->estate);
	return filter;
}

bool
connect_filter_passes(ConnectFilter *filter, TupleTableSlot *slot)
{
	ExprContext *econtext = GetPerTupleExprContext(filter->estate);
	bool		result;

	econtext->ecxt_scantuple = slot;
	result = ExecQual(filter->qual, econtext);
	ResetExprContext(econtext);
	return result;
}

/* ---- connect.stream_layout ---- */

static ArrayType *
array_of(Datum *elems, int n, Oid type)
{
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(type, &len, &byval, &align);
	return construct_array(elems, n, type, len, byval, align);
}

/* Columns as the arrays that connect.stream_layout holds. */
static void
layout_arrays(const ConnectLayout *layout, Datum *names, Datum *types,
			  Datum *typmods, Datum *notnull, Datum *keys)
{
	int			n = layout->desc->natts;
	Datum	   *name = palloc(sizeof(Datum) * n);
	Datum	   *type = palloc(sizeof(Datum) * n);
	Datum	   *typmod = palloc(sizeof(Datum) * n);
	Datum	   *required = palloc(sizeof(Datum) * n);
	Datum	   *key = palloc(sizeof(Datum) * Max(layout->nkeys, 1));

	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute att = TupleDescAttr(layout->desc, i);

		name[i] = CStringGetTextDatum(NameStr(att->attname));
		type[i] = ObjectIdGetDatum(att->atttypid);
		typmod[i] = Int32GetDatum(att->atttypmod);
		required[i] = BoolGetDatum(att->attnotnull);
	}
	for (int i = 0; i < layout->nkeys; i++)
		key[i] = Int32GetDatum(layout->keys[i]);

	*names = PointerGetDatum(array_of(name, n, TEXTOID));
	*types = PointerGetDatum(array_of(type, n, OIDOID));
	*typmods = PointerGetDatum(array_of(typmod, n, INT4OID));
	*notnull = PointerGetDatum(array_of(required, n, BOOLOID));
	*keys = PointerGetDatum(array_of(key, layout->nkeys, INT4OID));
}

/*
 * Finds the layout among the stream's, or stores it, and sets its id; *created
 * tells that its row goes if this transaction does.
 */
void
connect_layout_store(ConnectLayout *layout, bool *created)
{
	static ConnectStatement find = {
		"SELECT id FROM connect.stream_layout WHERE stream_id = $1"
		" AND names = $2 AND types = $3 AND typmods = $4"
		" AND not_null = $5 AND keys = $6 ORDER BY id LIMIT 1",
		6, {INT8OID, TEXTARRAYOID, OIDARRAYOID, INT4ARRAYOID, BOOLARRAYOID,
			INT4ARRAYOID}, .latest = true
	};
	static ConnectStatement insert = {
		"INSERT INTO connect.stream_layout"
		" (stream_id, names, types, typmods, not_null, keys)"
		" VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
		6, {INT8OID, TEXTARRAYOID, OIDARRAYOID, INT4ARRAYOID, BOOLARRAYOID,
			INT4ARRAYOID}
	};
	Datum		args[6];
	ConnectCatalogScope saved;

	connect_catalog_enter(&saved);
	args[0] = Int64GetDatum(layout->stream);
	layout_arrays(layout, &args[1], &args[2], &args[3], &args[4], &args[5]);
	*created = connect_catalog_run(&find, args, NULL) == 0;
	if (*created)
		connect_catalog_run(&insert, args, NULL);
	layout->id = connect_catalog_int64(0, 1, 0);
	connect_catalog_leave(&saved);
}

/* One array column of the current SPI row. */
static Datum *
array_column(int column, Oid type, int *n)
{
	bool		isnull;
	Datum		array = SPI_getbinval(SPI_tuptable->vals[0],
									  SPI_tuptable->tupdesc, column, &isnull);
	int16		len;
	bool		byval;
	char		align;
	Datum	   *elems;
	bool	   *nulls;

	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(DatumGetArrayTypeP(array), type, len, byval, align,
					  &elems, &nulls, n);
	return elems;
}

/*
 * Into the caller's context; NULL: its table is streamed no more, and the layout
 * went with the stream.
 */
ConnectLayout *
connect_layout_load(int64 id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			argtype = INT8OID;
	Datum		arg = Int64GetDatum(id);
	ConnectCatalogScope saved;
	ConnectLayout *layout;
	MemoryContext spi;
	Datum	   *names;
	Datum	   *types;
	Datum	   *typmods;
	Datum	   *required;
	Datum	   *keys;
	int			n;
	int			nkeys;
	bool		isnull;

	connect_catalog_enter(&saved);
	SPI_execute_with_args("SELECT names, types, typmods, not_null, keys,"
						  " stream_id FROM connect.stream_layout WHERE id = $1",
						  1, &argtype, &arg, NULL, false, 1);
	if (SPI_processed != 1)
	{
		connect_catalog_leave(&saved);
		return NULL;
	}
	names = array_column(1, TEXTOID, &n);
	types = array_column(2, OIDOID, &n);
	typmods = array_column(3, INT4OID, &n);
	required = array_column(4, BOOLOID, &n);
	keys = array_column(5, INT4OID, &nkeys);

	spi = MemoryContextSwitchTo(caller);
	layout = palloc0(sizeof(ConnectLayout));
	layout->id = id;
	layout->stream = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
												 SPI_tuptable->tupdesc, 6,
												 &isnull));
	layout->desc = CreateTemplateTupleDesc(n);
	for (int i = 0; i < n; i++)
	{
		TupleDescInitEntry(layout->desc, i + 1, TextDatumGetCString(names[i]),
						   DatumGetObjectId(types[i]),
						   DatumGetInt32(typmods[i]), 0);
		TupleDescAttr(layout->desc, i)->attnotnull = DatumGetBool(required[i]);
	}
	layout->nkeys = nkeys;
	layout->keys = palloc(sizeof(int) * Max(nkeys, 1));
	for (int i = 0; i < nkeys; i++)
		layout->keys[i] = DatumGetInt32(keys[i]);
	MemoryContextSwitchTo(spi);
	connect_catalog_leave(&saved);
	return layout;
}
