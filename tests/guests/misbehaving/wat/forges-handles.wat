;; Uses and drops handles that it was never given, by their numbers.
(component
  (type $database-interface (instance
    (type $kind-cases (enum "boolean" "int64" "float64" "decimal" "text" "bytes" "uuid" "date" "time" "timestamp" "json"))
    (export "kind" (type $kind (eq $kind-cases)))))
  (import "poolhouse:database/types@0.1.0" (instance $types (type $database-interface)))
  (alias export $types "kind" (type $kind))
  (type $handles (instance
    (alias outer 1 $kind (type $kind))
    (type $info (record (field "name" string) (field "kind" $kind) (field "database-type" string)))
    (export "column-info" (type $column-info (eq $info)))
    (export "cursor" (type $cursor (sub resource)))
    (export "transaction" (type (sub resource)))
    (export "[method]cursor.columns" (func (param "self" (borrow $cursor)) (result (list $column-info))))))
  (import "poolhouse:database/database@0.1.0" (instance $database (type $handles)))
  (core module $memory-module
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $memory (instantiate $memory-module))
  (alias core export $memory "memory" (core memory $bytes))
  (alias core export $memory "realloc" (core func $realloc))
  (alias export $database "cursor" (type $cursor))
  (alias export $database "transaction" (type $transaction))
  (alias export $database "[method]cursor.columns" (func $columns))
  (core func $use (canon lower (func $columns) (memory $bytes) (realloc $realloc)))
  (core func $drop (canon resource.drop $transaction))
  (core module $guest
    (import "host" "use" (func $use (param i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "misbehave") (param $handle i32)
      (call $use (local.get $handle) (i32.const 1024)))
    (func (export "misbehave-by-dropping") (param $handle i32)
      (call $drop (local.get $handle))))
  (core instance $instance (instantiate $guest
    (with "host" (instance (export "use" (func $use)) (export "drop" (func $drop))))))
  (func (export "misbehave") (param "handle" u32) (canon lift (core func $instance "misbehave")))
  (func (export "misbehave-by-dropping") (param "handle" u32)
    (canon lift (core func $instance "misbehave-by-dropping"))))
