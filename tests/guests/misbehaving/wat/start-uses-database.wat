;; Asks for the database's health in its start function, and answers what it was told: 0 up, 1 degraded, 2 down.
(component
  (type $database-interface (instance
    (type $state (enum "up" "degraded" "down"))
    (export "health-state" (type $health-state (eq $state)))
    (type $status (record
      (field "state" $health-state) (field "since" s64) (field "backend" string)
      (field "version" string) (field "latency" u64) (field "message" string)))
    (export "health-status" (type $health-status (eq $status)))
    (export "health" (func (result $health-status)))))
  (import "poolhouse:database/database@0.1.0" (instance $database (type $database-interface)))
  (core module $memory-module
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 4096))
    ;; Nothing is ever given back: a health is a few hundred bytes.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory-module))
  (alias core export $memory "memory" (core memory $bytes))
  (alias core export $memory "realloc" (core func $realloc))
  (alias export $database "health" (func $health))
  (core func $lowered (canon lower (func $health) (memory $bytes) (realloc $realloc)))
  (core module $guest
    (import "host" "health" (func $health (param i32)))
    (import "memory" "memory" (memory 1))
    (func $start (call $health (i32.const 1024)))
    (start $start)
    (func (export "misbehave") (result i32) (i32.load8_u (i32.const 1024))))
  (core instance $instance (instantiate $guest
    (with "host" (instance (export "health" (func $lowered))))
    (with "memory" (instance $memory))))
  (func (export "misbehave") (result u8) (canon lift (core func $instance "misbehave"))))
